import type { EntityManager } from '@mikro-orm/core'
import type { TSchema } from '@sinclair/typebox'
import type { OrmOption } from '../lib/database/borrow.ts'
import type { Duration } from '../lib/checks/durations.ts'
import type { AnyRequest, RequestSource } from '../lib/http/request.ts'
import type { PasswordHasher, PasswordVerifier, PepperSecret } from '../lib/features/passwords/options.ts'
import type { RouteSwitch } from '../lib/http/route-path.ts'
import type { SessionData } from '../lib/sessions/data.ts'
import type { ClaimsSession, CustomClaims } from '../lib/sign-in/options.ts'
import type { TokenClaims } from '../lib/tokens/access-token.ts'
import type { Owner } from '../lib/features/passwords/rule.ts'
import type { Algorithm, KeyPair } from '../lib/tokens/key.ts'
import type { Location, Transport } from '../lib/transport/options.ts'
import type { TypeBox1Schema } from '../lib/checks/typebox-1.ts'
import type { Identifier } from '../lib/users/options.ts'
import type { AccountsUser } from '../lib/users/public-user.ts'
import type { Messages } from '../lib/http/wording.ts'
import type { ErrorCode } from '../lib/options.ts'

/** A cookie's name and the path that it is sent to. */
interface CookieOptions {
  name?: string
  path?: string
}

/** The options of `app.register(accounts, options)`. Anything not named here is refused. */
export interface AccountsOptions {
  /**
   * Signs the tokens: 32 random bytes or more, or a pair of keys. Of a list the first signs and all verify.
   * Public keys alone: nothing can be issued. Default the environment's `JWT_SECRET_KEY`.
   */
  secret?: string | Buffer | KeyPair | (string | Buffer | KeyPair)[]
  /** What the first key signs with. Default what the key is for; with an RSA key `'RS256'`. */
  algorithm?: Algorithm
  /**
   * SQLite file, `':memory:'`, or a `postgresql:`, `mysql:` or `mariadb:` URL, whose parameter `connection_limit` is the
   * most connections of this process, 10 by default. Default the environment's `ACCOUNTS_DATABASE_URL`, then `'accounts.sqlite'`.
   */
  db?: string
  /**
   * A MikroORM of the app's own, or a function that gives one: the accounts use its connections, and it is left to the app
   * to close it. Not together with `db`. Default none.
   */
  orm?: OrmOption
  /** `'none'`: somebody else makes the tables, by migrations of their own. Default `'migrate'`: the plugin does. */
  schema?: 'migrate' | 'none'
  /** Path before every route. Default `'/auth'`. */
  prefix?: string
  /** Names `app[name]`, the tables, the cookies and the default audience: one for each kind of users. Default `'accounts'`. */
  name?: string
  /** The property of requests that holds the user. Default `'user'`. */
  decoratorName?: string
  access?: {
    /** Life of an access token. Default the environment's `JWT_ACCESS_TOKEN_EXPIRES`, then `'15m'`. */
    expiresIn?: Duration
  }
  refresh?: {
    /** How long a session may lie idle; each refresh renews it. Default `JWT_REFRESH_TOKEN_EXPIRES`, then `'30d'`. */
    expiresIn?: Duration
    /** How long a login lasts at most, however often it is refreshed. Default `'180d'`. */
    maxAge?: Duration
    /** For how long a spent refresh token is answered with its successor. 0: strictly single use. Default `'30s'`. */
    window?: Duration
    /** Until when a lost answer may be asked for again after the window. Default `'until-confirmed'`. */
    replay?: 'until-confirmed' | 'until-superseded'
  }
  /** How many sessions a user may have at once. */
  sessions?: {
    /** From 1 to 1000. Default 50. */
    max?: number
    /** One login more ends the session used longest ago, or is refused with `ACCOUNTS_SESSIONS_FULL`. Default `'end-oldest'`. */
    whenFull?: 'end-oldest' | 'refuse'
    /**
     * What you keep of a session, such as the tenant that is active in it: a `Type.Object` of TypeBox, `@sinclair/typebox`
     * 0.34 or `typebox` 1, of 4096 bytes as JSON at most. Given by `hooks.onSession`, `issueTokens` or
     * `app.accounts.sessions.setData`, and given to `claims`. Default none.
     */
    data?: TSchema | TypeBox1Schema
  }
  /** How soon this process knows what others have revoked. */
  revocation?: {
    /** How often the log of revocations is looked at, up to a minute: one read of one row. Default `'1s'`. */
    pollInterval?: Duration
    /** Who could not read the log for so long asks the database at every request. Longer than `pollInterval`, up to 5 minutes. Default `'5s'`. */
    maxStaleness?: Duration
    /**
     * A bus of your own, asked once: call `onMessage` when another process says that it has revoked something, and give
     * a function that says so for this one. Only ever a hint, so it may be slow or lose some. Default none.
     */
    wake?: (onMessage: () => void) => (() => void) | void | Promise<(() => void) | void>
  }
  /** The `iss` claim, written and required. Default `'fastify-jwt-accounts'`. */
  issuer?: string
  /** The `aud` claim. Of a list the first is written, and each is accepted. Default `'fastify-jwt-accounts'`. */
  audience?: string | string[]
  /** How much clocks may differ when `exp` and `nbf` of access tokens are looked at, up to 5 minutes. Default 0. */
  leeway?: Duration
  /**
   * More claims for access tokens, asked for each time one is made, with the data of the session (`sessions.data`). Seconds
   * count: nobody is let in meanwhile. Default none.
   */
  claims?: (user: AccountsUser, request: AnyRequest | undefined, session: ClaimsSession) => CustomClaims | Promise<CustomClaims>
  /**
   * A look at the claims of a token that is not revoked, before its user is looked up: anything but `true` is
   * `ACCOUNTS_CLAIMS_REFUSED`. It judges the token alone, so guards that are `'stateless'` ask it too. Default nobody is asked.
   */
  verifyClaims?: (claims: TokenClaims, request?: AnyRequest) => boolean | Promise<boolean>
  /**
   * One more list of revoked tokens: anything but `false` is `ACCOUNTS_TOKEN_REVOKED`. Guards that are `'stateless'` ask no
   * list. Default nobody is asked.
   */
  isRevoked?: (claims: TokenClaims, request?: AnyRequest) => boolean | Promise<boolean>
  /**
   * Functions that are told of what happens. But for `onRegister` and `onSession` they run after it is stored, no answer waits for them,
   * and one that fails is logged. Default none.
   */
  hooks?: {
    /**
     * In the transaction of a registration, once the user is there: what it writes with `em` is stored with the user, or
     * neither is. An error of its own with a `statusCode` of 4xx is the answer, any other a 500 that says nothing. The
     * body holds no password. It may run again when the transaction has to.
     */
    onRegister?: (em: EntityManager, user: AccountsUser, body: Record<string, unknown>) => unknown
    /**
     * Somebody has become a user: by registering, with the source of that request, or made by code or from the command
     * line (`users.create`), where there is no source but null.
     */
    onRegistered?: (user: AccountsUser, source: RequestSource | null) => unknown
    /**
     * What a new session is to hold (`sessions.data`), or nothing: asked before anything is stored, at a registration
     * also of the user. The answer waits for it. An error of its own with a `statusCode` of 4xx is the answer, any other a
     * 500 that says nothing; another shape is `ACCOUNTS_INPUT_INVALID`. Code that starts a session (`issueTokens`) may
     * have no request.
     */
    onSession?: (user: AccountsUser, request?: AnyRequest) => SessionData | null | undefined | Promise<SessionData | null | undefined>
    /** A session has begun, by a password. */
    onLogin?: (user: AccountsUser, source: RequestSource) => unknown
    /** What was typed as a name or an address; never the password. */
    onLoginFailed?: (identifier: string, source: RequestSource) => unknown
    /** A session goes on. */
    onRefresh?: (user: AccountsUser, source: RequestSource) => unknown
    /** Somebody has signed out. */
    onLogout?: (user: AccountsUser, source: RequestSource) => unknown
    /** A spent refresh token of this session was used again, so somebody may have stolen it. The session is over. */
    onReuse?: (ended: { userId: string, sessionId: string }) => unknown
    /** Somebody has given themselves another password. */
    onPasswordChanged?: (user: AccountsUser, source: RequestSource) => unknown
  }
  /** More fields for the header of every token. Default none. */
  headerFields?: Record<string, string | number | boolean>
  /** How tokens travel; with `'both'` the client says which at register and login. Default `'body'`. */
  transport?: Transport | 'both'
  cookies?: {
    /** Default `__Host-access` on `/`. */
    access?: CookieOptions
    /** Default `__Secure-refresh` on the prefix. */
    refresh?: CookieOptions
    /** The value against CSRF, readable by scripts. Default `__Host-csrf` on `/`. */
    csrf?: CookieOptions
    /** By which a browser is known to be somebody's, for `throttle`. Default `__Secure-device` on the prefix. */
    device?: CookieOptions
    /** Sends the cookies to its subdomains too. Default none: to this host alone. */
    domain?: string
    /** Default `'lax'`. */
    sameSite?: 'strict' | 'lax' | 'none'
    /** `false` lets them travel without TLS. Default true. */
    secure?: boolean
    /** Keeps them apart for each site that embeds this one (CHIPS). Default false. */
    partitioned?: boolean
    /** They outlive the browser, unless a login says `remember: false`; or the reverse. Default true. */
    persistent?: boolean
  }
  csrf?: {
    /** The header with the value. Default `'x-csrf-token'`. */
    header?: string
    /**
     * Origins whose pages may send requests with our cookies, such as `'https://app.example.com'`. That of your own pages
     * is needed where browsers send no `Sec-Fetch-Site`: on plain HTTP but for localhost, and in Safari before 16.4. Default none.
     */
    trustedOrigins?: string[]
    /**
     * Methods that need the proof on routes of the app's own, in place of the default; our routes keep to that. Default
     * all but GET, HEAD, OPTIONS, TRACE and QUERY.
     */
    methods?: string[]
    /** A field of the body that may hold the value, for forms on routes of the app's own. Default none. */
    formField?: string
  }
  /** Where guards look for tokens, in this order. Default `['header']`, with cookies `['header', 'cookie']`. */
  locations?: Location[]
  header?: {
    /** Default `'authorization'`. */
    name?: string
    /** The word before the token, in any case; `''` for none. Default `'Bearer'`. */
    scheme?: string
  }
  /** What people sign in with. Default `['username', 'email']`: a name, and an address if they gave one. */
  identifiers?: Identifier[]
  user?: {
    /** Fields of your own, as schemas of TypeBox, `@sinclair/typebox` 0.34 or `typebox` 1: given at registration, unless `readOnly`, and kept with the user. Default none. */
    fields?: Record<string, TSchema | TypeBox1Schema>
    /** Those that `request.user` and answers show. Default all. */
    public?: string[]
  }
  password?: {
    /** Fewest code points of a new password. Default 15 (NIST SP 800-63B-4: a password that is the only factor). */
    minLength?: number
    /** Most code points of a new password. Default 256. */
    maxLength?: number
    /** Refuses common passwords, repetitions, and rows of letters, digits or keys. Default true. */
    blocklist?: boolean
    /** Words of your app that a new password must not be built on, as it must not be on the user's name and address. Default none. */
    contextWords?: string[]
    /**
     * A rule of your own, asked after ours: `true`, or what the password must, as in `'must not hold a year'`. Anything
     * else refuses it without a reason. Default nobody is asked.
     */
    check?: (password: string, user: Owner) => true | string | Promise<true | string>
    /** Asks a list of passwords known from breaches, last of all; `{}` is enough. Only 5 digits of a hash leave the process. Default off. */
    breached?: {
      /** Before the 5 digits. Default `'https://api.pwnedpasswords.com/range/'`. */
      url?: string
      /** How long the list may take, up to a minute. Default `'2s'`. */
      timeout?: Duration
      /** What becomes of a password when the list cannot be asked: `'refuse'` is `ACCOUNTS_UNAVAILABLE`. Default `'accept'`, with a warning in the log. */
      whenUnreachable?: 'accept' | 'refuse'
      /** Fewest times that a password must have been seen to be refused. Default 1. */
      minCount?: number
    }
    /** Cost of argon2id. Default OWASP's: 19456 KiB, 2 passes, 1 lane. */
    argon2?: {
      /** KiB. Default 19456. */
      memoryCost?: number
      /** Passes. Default 2. */
      timeCost?: number
      /** Lanes. Default 1. */
      parallelism?: number
    }
    /** How many passwords are hashed at once. Default as many as there are cores, and one less than libuv has threads at most. */
    concurrency?: number
    /** How many may wait for that; who comes then is told `ACCOUNTS_BUSY`. Default 100. */
    waiting?: number
    /** Hashes in place of `argon2`, which must then not be given. Default the package argon2. */
    hasher?: PasswordHasher
    /** Who verifies hashes that another system has made; a login makes them anew. Default nobody. */
    legacy?: PasswordVerifier[]
    /** Mixed with passwords before they are hashed: 32 random bytes or more. Of a list the first is used and all verify. Default none. */
    pepper?: PepperSecret | PepperSecret[]
  }
  /** Which routes there are, and where. Default all but `users` and `revoke`, under their own names. */
  routes?: {
    /** `POST /register`. Default true. */
    register?: RouteSwitch
    /** `POST /login`. Default true. */
    login?: RouteSwitch
    /** `POST /refresh`. Default true. */
    refresh?: RouteSwitch
    /** `POST /logout`. Default true. */
    logout?: RouteSwitch
    /** `POST /reauthenticate`. Default true. */
    reauthenticate?: RouteSwitch
    /** `GET /me`, `PATCH /me`, `DELETE /me`. Default true. */
    me?: RouteSwitch
    /** `GET /sessions`, `DELETE /sessions/:id`, `DELETE /sessions`. Default true. */
    sessions?: RouteSwitch
    /** `PUT /password`. Default true. */
    password?: RouteSwitch
    /** `GET /users`, and `GET`, `PATCH` and `DELETE /users/:id`, for users with the role `admin`. Default false. */
    users?: RouteSwitch
    /** `GET /jwks.json`, where there is a public key. Default true. */
    jwks?: RouteSwitch
    /** `POST /revoke` (RFC 7009). Default false. */
    revoke?: RouteSwitch
    /** `POST /introspect` (RFC 7662), where `introspection.clients` may ask. Default true. */
    introspect?: RouteSwitch
  }
  introspection?: {
    /** Who may ask about tokens. A secret is 32 characters or more. Default nobody. */
    clients?: { id: string, secret: string }[]
  }
  /** Other texts for errors, by code. A function is given the request and the usual text. Default English. */
  messages?: Messages<ErrorCode>
  /** The realm of challenges. Default the name. */
  realm?: string
  prune?: {
    /** How often old sessions and revocations are deleted, up to a week; 0: only when `app.accounts.prune()` is called. Default `'1h'`. */
    interval?: Duration
  }
  /** What happens to accounts is told on channels of node:diagnostics_channel, and may be kept in the table of events too. */
  events?: {
    /** Keeps every event of an account, as docs/operations.md lists them, each in the transaction of what it tells of. Default false. */
    store?: boolean
    /** For how long. Default `'90d'`. */
    keepFor?: Duration
  }
  /** Limits on guessing: how many failures are free until each further one has to wait. `false` leaves them to the app. Default on. */
  throttle?: false | {
    /** At one account, from one network. Default 5. */
    accountNetwork?: number
    /** From one network, registrations included. Default 50. */
    network?: number
    /** At one account, from everywhere. Default 100 (NIST SP 800-63B-4 §3.2.2). */
    account?: number
  }
}
