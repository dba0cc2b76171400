// Made by `npm run generate` of the options.ts of each folder: what is written here by hand is lost.
import type { Duration } from '../lib/checks/durations.ts'
import type { TypeBox1Schema } from '../lib/checks/typebox-1.ts'
import type { OrmOption } from '../lib/database/borrow.ts'
import type { OnClose } from '../lib/features/closing/options.ts'
import type { OnExport } from '../lib/features/export/options.ts'
import type { OnFactorsChanged } from '../lib/features/factors/options.ts'
import type { OnInvitationAccepted } from '../lib/features/invitations/options.ts'
import type { OnReclaim } from '../lib/features/mail/options.ts'
import type {
  CheckPassword, PasswordHasher, PasswordVerifier, PepperSecret,
} from '../lib/features/passwords/options.ts'
import type { RouteSwitch } from '../lib/features/routes.ts'
import type { IsRevoked, VerifyClaims } from '../lib/guards/options.ts'
import type { Messages } from '../lib/http/wording.ts'
import type { LocaleOfUser, SmtpServer } from '../lib/mail/options.ts'
import type { MailLocales, MailTemplates } from '../lib/mail/texts.ts'
import type { SendMail } from '../lib/mail/transport.ts'
import type { ErrorCode } from '../lib/options.ts'
import type { EncryptionKey } from '../lib/secrets/options.ts'
import type {
  OnLoginFailed, OnRegister, OnRegistered, OnReuse, OnSession, OnUser, Wake,
} from '../lib/sessions/options.ts'
import type { GiveClaims } from '../lib/sign-in/options.ts'
import type { Secret } from '../lib/tokens/options.ts'
import type { Location } from '../lib/transport/options.ts'
import type { RequiresFactor } from '../lib/users/factor-needs.ts'
import type { Identifier } from '../lib/users/options.ts'
import type { TSchema } from '@sinclair/typebox'

/** The options of `app.register(accounts, options)`. Anything not named here is refused. */
export interface AccountsOptions {
  /**
   * Signs the tokens: a string or Buffer of 32 random bytes or more (`openssl rand -base64 48`), or a pair of keys. A
   * pair is `{ private, public, kid, algorithm }`, with keys as PEM, KeyObject or JWK. Of a list of these the first
   * signs, and all verify. Public keys alone verify and issue nothing. Default the environment's `JWT_SECRET_KEY`.
   */
  secret?: Secret | Secret[]
  /**
   * What the first key signs with. Only an RSA key has a choice. Default what the first key is for; with an RSA key
   * `'RS256'`.
   */
  algorithm?: 'HS256' | 'RS256' | 'PS256' | 'ES256' | 'ES384' | 'ES512' | 'EdDSA'
  access?: {
    /** The life of an access token. Default the environment's `JWT_ACCESS_TOKEN_EXPIRES`, then `'15m'`. */
    expiresIn?: Duration
  }
  /** The `iss` claim, written and required. Default `'fastify-jwt-accounts'`. */
  issuer?: string
  /**
   * The `aud` claim, written and required. Of a list the first is written, and each is accepted. Default
   * `'fastify-jwt-accounts'`, for accounts of another name with the name after a slash.
   */
  audience?: string | string[]
  /**
   * How much clocks may differ when `exp` and `nbf` of access tokens are looked at, up to 5 minutes. A session ends
   * when it ends. Default `0`.
   */
  leeway?: Duration
  /** More fields for the header of every token. Default `{}`. */
  headerFields?: Record<string, string | number | boolean>
  /**
   * Encrypts what is stored and has to be read again, such as seeds of one-time codes: a string or Buffer of 32 random
   * bytes or more (`openssl rand -base64 48`). Of a list the first encrypts, and all decrypt. Default the environment's
   * `ACCOUNTS_ENCRYPTION_KEY`, then the HMAC secrets of `secret`; none with pairs of keys alone.
   */
  encryptionKey?: EncryptionKey | EncryptionKey[]
  /**
   * An SQLite file, `':memory:'`, or the URL of a PostgreSQL, MySQL or MariaDB, such as
   * `'postgresql://user:password@host:5432/database'`. Its parameter `connection_limit` is the most connections of this
   * process, 10 by default. Default the environment's `ACCOUNTS_DATABASE_URL`, then `'accounts.sqlite'`.
   */
  db?: string
  /**
   * A MikroORM of your own, or a function that gives it, in place of `db`. The accounts use its connections, and it is
   * left to the app to close it. Default none.
   */
  orm?: OrmOption
  /**
   * Who makes the tables and brings them up to date: the plugin, or with `'none'` you, by migrations of your own.
   * Default `'migrate'`.
   */
  schema?: 'migrate' | 'none'
  prune?: {
    /**
     * How often what no token can be alive for is deleted, up to a week; 0: when you call `app.accounts.prune()`.
     * Default `'1h'`.
     */
    interval?: Duration
  }
  /** The path before every route. Default `'/auth'`. */
  prefix?: string
  /**
   * Names `app[name]`, the tables, the cookies and the default audience: one for each kind of users. Default
   * `'accounts'`.
   */
  name?: string
  /** The realm of challenges. Default the name. */
  realm?: string
  /**
   * Other texts for errors, by code: a text, or `(request, message) => string`, which is given the usual text. Default
   * `{}`.
   */
  messages?: Messages<ErrorCode>
  refresh?: {
    /**
     * How long a session may lie idle; each refresh renews it. Default the environment's `JWT_REFRESH_TOKEN_EXPIRES`,
     * then `'30d'`.
     */
    expiresIn?: Duration
    /** How long a login lasts at most, however often it is refreshed. Default `'180d'`. */
    maxAge?: Duration
    /**
     * For how long a spent refresh token is answered again, with a token of the next generation; 0 makes every token
     * work once. Default `'30s'`.
     */
    window?: Duration
    /** Until when a lost answer may be asked for again after the window. Default `'until-confirmed'`. */
    replay?: 'until-confirmed' | 'until-superseded'
  }
  sessions?: {
    /**
     * How many sessions a user may have at once, up to 1000; logins at the same moment do not get past it. Default
     * `50`.
     */
    max?: number
    /**
     * One login more ends the session used longest ago, or is refused with 403 `ACCOUNTS_SESSIONS_FULL`. Default
     * `'end-oldest'`.
     */
    whenFull?: 'end-oldest' | 'refuse'
    /**
     * What you keep of a session, such as the tenant that is active in it: a `Type.Object` of TypeBox,
     * `@sinclair/typebox` 0.34 or `typebox` 1. It has 4096 bytes as JSON at most. Given by `hooks.onSession`,
     * `issueTokens` or `app.accounts.sessions.setData`, and given to `claims`. What it does not list is refused, at
     * every depth. Default none.
     */
    data?: TSchema | TypeBox1Schema
  }
  /** How soon this process knows what others have revoked. */
  revocation?: {
    /** How often the log of revocations is looked at, up to a minute: one read of one row. Default `'1s'`. */
    pollInterval?: Duration
    /**
     * Who could not read the log for so long asks the database at each request, and answers 503 if it cannot. Longer
     * than `pollInterval`, up to 5 minutes. Default `'5s'`.
     */
    maxStaleness?: Duration
    /**
     * A bus of your own: `(onMessage) => tell`, or a promise of it, asked once. Call `onMessage` when another process
     * tells, and `tell` is called when this one has revoked. Only ever a hint, so it may be slow or lose some. Default
     * none.
     */
    wake?: Wake
  }
  /**
   * Functions that are told of what happens. Those that are asked first say so; the others run after it is stored, no
   * answer waits for them, and one that fails is logged.
   */
  hooks?: {
    /**
     * In the transaction of a registration, once the user is there: what it writes with `em` is stored with the user,
     * or neither is. An error of its own with a `statusCode` of 4xx is the answer, any other a 500 that says nothing.
     * The body holds no password. It may run again when the transaction has to. Default none.
     */
    onRegister?: OnRegister
    /**
     * Somebody has become a user: by registering, or made by code or from the command line (`users.create`). Who is
     * made has no source but null. Default none.
     */
    onRegistered?: OnRegistered
    /**
     * What a new session is to hold (`sessions.data`), or nothing: asked before anything is stored, at a registration
     * also of the user. The answer waits for it. An error of its own with a `statusCode` of 4xx is the answer, any
     * other a 500 that says nothing; another shape is `ACCOUNTS_INPUT_INVALID`. Code that starts a session
     * (`issueTokens`) may have no request. Default none.
     */
    onSession?: OnSession
    /** A session has begun, by a password. Default none. */
    onLogin?: OnUser
    /** What was typed as a name or an address; never the password. Default none. */
    onLoginFailed?: OnLoginFailed
    /** A session goes on. Default none. */
    onRefresh?: OnUser
    /** Somebody has signed out. Default none. */
    onLogout?: OnUser
    /**
     * A spent refresh token of this session was used again, so somebody may have stolen it. The session is over.
     * Default none.
     */
    onReuse?: OnReuse
    /** Somebody has given themselves another password. Default none. */
    onPasswordChanged?: OnUser
    /**
     * Somebody has proved to read the mailbox of an account whose address nobody had proved before: its sessions and
     * its password are void. In the transaction of that: take away with `em` what a stranger may have left, such as
     * linked identities. An error of its own with a `statusCode` of 4xx is the answer, any other a 500 that says
     * nothing; then nothing has happened. Default none.
     */
    onReclaim?: OnReclaim
    /**
     * In the transaction that deletes an account which its user has closed, before it is deleted: write or delete with
     * `em` what is yours. One that throws leaves the account there: at once the error is the answer, as in
     * `onRegister`; after a grace it is logged, and asked again the next time. Default none.
     */
    onClose?: OnClose
    /**
     * What the app keeps of a user, as JSON, or a promise of it: the member `app` of an export, which waits for it. An
     * error of its own with a `statusCode` of 4xx is the answer, any other a 500 that says nothing. Default none.
     */
    onExport?: OnExport
    /**
     * In the transaction in which an invitation is accepted: put the user into a team with `em`, by the `data` that it
     * was made with. An error of its own with a `statusCode` of 4xx is the answer, any other a 500 that says nothing;
     * then nothing has happened. It may run again when the transaction has to. Default none.
     */
    onInvitationAccepted?: OnInvitationAccepted
    /**
     * The second factors of a user have changed: `{ what, change }` says which, and how. For a notice of your own (ASVS
     * 5 6.3.7); with `mail` users are told by mail already. Default none.
     */
    onFactorsChanged?: OnFactorsChanged
  }
  /**
   * What people sign in with: a name, an address, or either. With both, an address may be left out. Default
   * `['username', 'email']`.
   */
  identifiers?: Identifier[]
  user?: {
    /**
     * Fields of your own, as schemas of TypeBox, `@sinclair/typebox` 0.34 or `typebox` 1. Registration asks for them,
     * but for `readOnly` ones, and they are kept with the user (`profile`). One with `unique: true` has no value twice.
     * Members that are `readOnly` are written by code and admins alone. Default `{}`.
     */
    fields?: Record<string, TSchema | TypeBox1Schema>
    /** The names of the fields that `request.user` and answers show. Default all. */
    public?: string[]
  }
  /** How tokens travel; with `'both'` the client says which at register and login. Default `'body'`. */
  transport?: 'body' | 'cookie' | 'both'
  /**
   * Each cookie has a `name` and a `path`. A prefix that the other settings do not allow is left away by default, and
   * refused where you name it. In accounts of another name it stands before the word.
   */
  cookies?: {
    /** The cookie of access tokens. Default `__Host-access` on `/`. */
    access?: {
      name?: string
      path?: string
    }
    /** The cookie of refresh tokens. Default `__Secure-refresh` on the prefix. */
    refresh?: {
      name?: string
      path?: string
    }
    /** The value against CSRF, readable by scripts. Default `__Host-csrf` on `/`. */
    csrf?: {
      name?: string
      path?: string
    }
    /** By which a browser is known to have asked for a mail. Default `__Host-challenge` on `/`. */
    challenge?: {
      name?: string
      path?: string
    }
    /** By which a browser is known to have proved a first factor. Default `__Secure-ticket` on the prefix. */
    ticket?: {
      name?: string
      path?: string
    }
    /** By which a browser is not asked for a second factor. Default `__Host-remember` on `/`. */
    remember?: {
      name?: string
      path?: string
    }
    /** By which a browser is known to be somebody's, for `throttle`. Default `__Secure-device` on the prefix. */
    device?: {
      name?: string
      path?: string
    }
    /** Sends the cookies to its subdomains too. Default to this host alone. */
    domain?: string
    /** Whether requests from other sites bring the cookies along. Default `'lax'`. */
    sameSite?: 'strict' | 'lax' | 'none'
    /** `false` lets cookies travel without TLS. Default `true`. */
    secure?: boolean
    /** Keeps cookies apart for each site that embeds this one (CHIPS). Default `false`. */
    partitioned?: boolean
    /**
     * Cookies outlive the browser, unless a login says `remember: false`; or the reverse. Never longer than their
     * token, and 400 days. Default `true`.
     */
    persistent?: boolean
  }
  csrf?: {
    /** The header that holds `csrf_token`. Default `'x-csrf-token'`. */
    header?: string
    /**
     * Origins whose pages may send requests with our cookies, such as `'https://app.example.com'`. That of your own
     * pages is needed where browsers send no `Sec-Fetch-Site`: on plain HTTP but for localhost, and in Safari before
     * 16.4. Default `[]`.
     */
    trustedOrigins?: string[]
    /**
     * Methods that need the proof on routes of your own, in place of the default; ours keep to that. Default all but
     * GET, HEAD, OPTIONS, TRACE and QUERY.
     */
    methods?: string[]
    /**
     * A field of the body that may hold `csrf_token`, for forms on routes of your own, also with files
     * (@fastify/multipart with `attachFieldsToBody`). Guards see it in `preValidation` and `preHandler`. Default none.
     */
    formField?: string
  }
  /** Where guards look for tokens, in this order. Default `['header']`, with cookies `['header', 'cookie']`. */
  locations?: Location[]
  header?: {
    /** The header with the token. Default `'authorization'`. */
    name?: string
    /** The word before the token, in any case; `''` for none, in a header of your own. Default `'Bearer'`. */
    scheme?: string
  }
  /**
   * The property of requests that holds the user. If you register @fastify/jwt yourself, do it before, or give another
   * name here: it claims `request.user` too, and ends with "The decorator 'user' has already been added!" Default
   * `'user'`.
   */
  decoratorName?: string
  /**
   * `(claims, request) => boolean`, or a promise of it: a look at the claims of a token that is not revoked, before its
   * user is looked up. Anything but `true` is 401 `ACCOUNTS_CLAIMS_REFUSED`. It judges the token alone, so guards that
   * are `'stateless'` ask it too. Default none.
   */
  verifyClaims?: VerifyClaims
  /**
   * `(claims, request) => boolean`, or a promise of it: one more list of revoked tokens. Anything but `false` is 401
   * `ACCOUNTS_TOKEN_REVOKED`. Guards that are `'stateless'` ask no list. Default none.
   */
  isRevoked?: IsRevoked
  /**
   * `(user, request, { data }) => object`, or a promise of it: more claims for access tokens. Asked for each time one
   * is made, with the `sessions.data` of its session or null. Seconds count: nobody is let in meanwhile. Names of ours
   * are refused. Everybody with the token can read them, and it has to stay small. Default none.
   */
  claims?: GiveClaims
  /**
   * Which routes there are, and where: `false` turns one off, `true` on, a text such as `'/sign-out'` moves it, below
   * the prefix.
   */
  routes?: {
    /** `POST /register`. Default `true`. */
    register?: RouteSwitch
    /** `POST /register/complete`, with `email.verification: 'first'`. Default `true`. */
    completeRegistration?: RouteSwitch
    /** `POST /login`. Default `true`. */
    login?: RouteSwitch
    /** `POST /reauthenticate`. Default `true`. */
    reauthenticate?: RouteSwitch
    /** `PUT /password`. Default `true`. */
    password?: RouteSwitch
    /** `POST /refresh`. Default `true`. */
    refresh?: RouteSwitch
    /** `POST /logout`. Default `true`. */
    logout?: RouteSwitch
    /** `GET /sessions`, `DELETE /sessions/:id`, `DELETE /sessions`. Default `true`. */
    sessions?: RouteSwitch
    /** `GET /me`, `PATCH /me`, `DELETE /me`. Default `true`. */
    me?: RouteSwitch
    /** `GET /users`, and `GET`, `PATCH` and `DELETE /users/:id`, for users with the role `admin`. Default `false`. */
    users?: RouteSwitch
    /** `GET /jwks.json`, where there is a public key. Default `true`. */
    jwks?: RouteSwitch
    /** `POST /revoke` (RFC 7009). Default `false`. */
    revoke?: RouteSwitch
    /** `POST /introspect` (RFC 7662), where `introspection.clients` may ask. Default `true`. */
    introspect?: RouteSwitch
    /** `POST /password/forgot`, `POST /password/reset`, with mail. Default `true`. */
    resetPassword?: RouteSwitch
    /** `POST /me/restore`, with `closing.grace`. Default `true`. */
    restore?: RouteSwitch
    /** `GET /me/export`. Default `true`. */
    export?: RouteSwitch
    /** `POST /login/email`, `POST /login/email/complete`, with mail. Default `false`. */
    emailLogin?: RouteSwitch
    /**
     * Invitations by mail. `POST` and `GET /invitations`, `DELETE /invitations/:id` and `POST /invitations/:id/send`
     * are for users with the role `admin`, `POST /invitations/show` and `POST /invitations/accept` for the others.
     * Default `false`.
     */
    invitations?: RouteSwitch
    /** `POST /email/verify`, `POST /email/verify/send`, `POST /email/disown`, with mail. Default `true`. */
    verifyEmail?: RouteSwitch
    /** `PUT /email`, `POST /email/change`, `POST /email/revert`, with mail. Default `true`. */
    changeEmail?: RouteSwitch
    /** `GET /factors` and what is below it, with `factors` or `passkeys`. Default `true`. */
    factors?: RouteSwitch
    /** `/passkeys` and what is below it, with `passkeys`. Default `true`. */
    passkeys?: RouteSwitch
  }
  introspection?: {
    /** `{ id, secret }` of each service that may ask about tokens; a secret has 32 characters or more. Default `[]`. */
    clients?: { id: string, secret: string }[]
  }
  /**
   * Whether verifiers that know the issuer alone find its keys, at `/.well-known/openid-configuration` and beside it.
   * The issuer is an https URL then, and a key is asymmetric. Default `false`.
   */
  discovery?: boolean
  password?: {
    /**
     * Fewest characters (code points) of a new password. NIST SP 800-63B-4 asks for 15 where nothing else protects the
     * account; 8 is the least. Default `15`.
     */
    minLength?: number
    /** Most characters of a new password. Default `256`. */
    maxLength?: number
    /** Refuses common passwords, repetitions, and rows of letters, digits or keys. Default `true`. */
    blocklist?: boolean
    /**
     * Words of your app that a new password must not be built on, as it must not be on the user's name and address.
     * Default `[]`.
     */
    contextWords?: string[]
    /**
     * A rule of your own, asked after ours: `(password, { username, email }) => true`, or what the password must, as in
     * `'must not hold a year'`. Anything else refuses it without a reason. Default none.
     */
    check?: CheckPassword
    /**
     * Asks a list of passwords known from breaches, last of all; `{}` is enough. Only 5 digits of a hash leave the
     * process. Default off.
     */
    breached?: {
      /** The address of the list, up to the 5 digits. Default `'https://api.pwnedpasswords.com/range/'`. */
      url?: string
      /** How long the list may take, up to a minute. Default `'2s'`. */
      timeout?: Duration
      /**
       * What becomes of a password when the list cannot be asked: it is accepted, with a warning in the log, or refused
       * with `ACCOUNTS_UNAVAILABLE`. Default `'accept'`.
       */
      whenUnreachable?: 'accept' | 'refuse'
      /** Fewest times that a password must have been seen to be refused. Default `1`. */
      minCount?: number
    }
    /** The cost of argon2id. Raise it, and each login moves one hash up. Default OWASP's. */
    argon2?: {
      /** Memory, in KiB. Default `19456`. */
      memoryCost?: number
      /** How many passes over the memory. Default `2`. */
      timeCost?: number
      /** How many lanes, each a thread. Default `1`. */
      parallelism?: number
    }
    /**
     * How many passwords are hashed at once, by all accounts of a server together. Default as many as there are cores,
     * and one less than libuv has threads at most.
     */
    concurrency?: number
    /** How many may wait for a password to be hashed; who comes then is told 503 `ACCOUNTS_BUSY`. Default `100`. */
    waiting?: number
    /** Hashes in place of `password.argon2`: `{ hash, verify, needsRehash }`. Default the package argon2. */
    hasher?: PasswordHasher
    /**
     * Who verifies the hashes of another system, which a login makes anew. These are `legacy.bcrypt({ cost })`,
     * `legacy.scrypt({ N, r, p })`, `legacy.pbkdf2({ iterations })`, or your own. Default `[]`.
     */
    legacy?: PasswordVerifier[]
    /**
     * A secret that passwords are mixed with before they are hashed, and that no copy of the database holds. A string
     * or Buffer of 32 random bytes or more, or a list: the first is used, all verify. Default none.
     */
    pepper?: PepperSecret | PepperSecret[]
  }
  /**
   * Limits on guessing: how many failures are free. Each further one starts a wait: 2 seconds, then 4, 8 and so on, 15
   * minutes at most. Behind a proxy, set `trustProxy` in Fastify, or all clients are one network. `false` leaves it to
   * you. Default on.
   */
  throttle?: false | {
    /** Free failures at one account, from one network. Default `5`. */
    accountNetwork?: number
    /** Free failures from one network, registrations included. Default `50`. */
    network?: number
    /** Free failures at one account, from everywhere (NIST SP 800-63B-4 §3.2.2). Default `100`. */
    account?: number
    /** Free failures at the second factor of a user; one is forgotten in 15 minutes. Default `5`. */
    factor?: number
    mail?: {
      /** Mails to one address that are free; one is forgotten in 12 minutes. 20 a day. Default `5`. */
      address?: number
      /** Mails that one network may ask for; one is forgotten in a minute. Default `20`. */
      network?: number
    }
  }
  /**
   * What happens to accounts is told on channels of node:diagnostics_channel, and may be kept in the table of events
   * too.
   */
  events?: {
    /**
     * Keeps every event of an account in the table `accounts_events`, in the transaction of what it tells of. Default
     * `false`.
     */
    store?: boolean
    /** For how long events are kept. Default `'90d'`. */
    keepFor?: Duration
  }
  /**
   * Mails of accounts: `true` keeps them in an outbox for development, with `smtp` or `send` they are sent. Default
   * off.
   */
  mail?: boolean | {
    /**
     * Whom mails come from: an address, or `Example <accounts@example.com>`. Default none; needed where mails are
     * really sent.
     */
    from?: string
    /** What mails call your app. Default none; needed where mails are really sent. */
    appName?: string
    /**
     * `(mail, { signal, attempt }) => Promise`: sends one mail by a service of your own. It may be asked for the same
     * mail again, with the same `id`. One that rejects is tried again; with `permanent: true` on the error it is not.
     * Default none.
     */
    send?: SendMail
    /**
     * The server that takes mails, through the package nodemailer: a URL, or its options. TLS is required but for this
     * machine. Default the environment's `ACCOUNTS_SMTP_URL`.
     */
    smtp?: SmtpServer
    links?: {
      /**
       * Where your pages are: what links begin with. It never comes from a request. Default this machine; needed in
       * production.
       */
      base?: string
      /** Where in a link its token stands. No server and no log sees a fragment. Default `'fragment'`. */
      style?: 'fragment' | 'query'
      /** Where a link leads that verifies an address, below the base. Default a page of ours. */
      verify?: string
      /** Where a link leads that confirms another address, below the base. Default a page of ours. */
      change?: string
      /** Where a link leads that takes a change of address back, below the base. Default a page of ours. */
      revert?: string
      /** Where a link leads by which another password is chosen, below the base. Default a page of ours. */
      reset?: string
      /** Where a link leads that keeps an account that is to be deleted, below the base. Default a page of ours. */
      restore?: string
      /**
       * Where a link leads by which somebody says that a mail was not for them, below the base. Default a page of ours.
       */
      disown?: string
      /** Where a link leads that signs in, below the base: needed where that is on. Default none. */
      login?: string
      /**
       * Where a link leads by which a registration is completed, below the base: needed where that is on. Default none.
       */
      register?: string
      /** Where an invitation leads, below the base: needed where that is on. Default none. */
      invite?: string
    }
    code?: {
      /**
       * How many digits the code of a mail has: of 8 a guesser with 5 tries at each of a million accounts hits 5 times
       * in a hundred. Default `8`.
       */
      digits?: number
    }
    /** How many mails a process sends in a second at most. Default `10`. */
    rate?: number
    /** Whether this process sends mails, its own and those that others have left. Default `true`. */
    worker?: boolean
    /** Pages of ours for links that have no path of their own. Default `true`. */
    pages?: boolean
    /**
     * What an address gets that has no account when somebody asks for a mail to it: nothing, or a mail that says so.
     * Default `'silent'`.
     */
    unknown?: 'silent' | 'tell'
    /** Which mails are sent that nobody has asked for. */
    notices?: {
      /** The password is another one. Default `true`. */
      passwordChanged?: boolean
      /**
       * The address is another one: goes to the one before, with a link that takes it back for 7 days. Default `true`.
       */
      emailChanged?: boolean
      /** Somebody signed in from a browser and a network that the user had not used before. Default `true`. */
      newDevice?: boolean
      /** Somebody signed in by a mail. Default `true`. */
      loginByMail?: boolean
      /** A session was ended, since its refresh token was used twice: somebody may have stolen it. Default `true`. */
      reuse?: boolean
      /** The account is going to be deleted: with a link that keeps it. Default `true`. */
      closing?: boolean
      /** The account is deleted. Default `true`. */
      closed?: boolean
      /** The user has roles that they had not before. Default `true`. */
      rolesRaised?: boolean
      /** A second factor was set up, replaced or taken away. Default `true`. */
      factorsChanged?: boolean
    }
    /** `(user, request) => 'de'`: the language of a mail. Undefined for that of the browser. Default none. */
    locale?: LocaleOfUser
    /** Texts of mails by language, over those of ours. Default English and German. */
    locales?: MailLocales
    /**
     * `{ reset: (data, words) => ({ subject, text, html }) }`: mails of your own, in place of ours or of a kind of your
     * own. Default ours.
     */
    templates?: MailTemplates
  }
  closing?: {
    /**
     * How long an account is kept that its user has closed, up to 90 days: until it is over they can restore it. 0
     * deletes at once. Default `0`.
     */
    grace?: Duration
  }
  email?: {
    /**
     * Whether somebody who registers proves their address. With `'offered'` they are in at once, and a mail is on its
     * way; with `'first'` there is no user before; `'none'` sends none. Default `'offered'` with mail, else `'none'`.
     */
    verification?: 'none' | 'offered' | 'first'
    /** Whether the address of before, where it is verified, is asked first. Default `false`. */
    confirmOld?: boolean
  }
  /** Second factors: codes of authenticator apps and recovery codes. Default off. */
  factors?: boolean | {
    /** What authenticator apps call your app. Default the host of the first of `passkeys.origins`, else `issuer`. */
    issuer?: string
    /**
     * Who is let in by two factors alone: roles, or `(user) => boolean`, which is asked when a user is read and must be
     * fast. Whoever has none yet sets one up when they sign in. Default `[]`.
     */
    requireFor?: string[] | RequiresFactor
    /**
     * For how long a browser may be remembered, with `remember_device`, so that a second factor is not asked for there.
     * Where tokens travel in cookies alone. Default `false`.
     */
    remember?: Duration | false
    /** How long there is between the first factor and the second, up to an hour. Default `'5m'`. */
    ticket?: Duration
    /** How many recovery codes there are at a time. Default `10`. */
    recoveryCodes?: number
  }
  /** Signing in with passkeys, through the package @simplewebauthn/server. Default off. */
  passkeys?: false | {
    /**
     * Where your pages and apps are, exactly, with the port: from nowhere else a passkey is taken. The first is an
     * `https:` origin, or `http://localhost`. Default none; needed.
     */
    origins?: string[]
    /**
     * The domain that passkeys are for: that of the first origin, or one that it is below. With another one all
     * passkeys that are there are lost. Default the host of the first origin.
     */
    rpId?: string
    /** What authenticators may call your app. Default `passkeys.rpId`. */
    rpName?: string
    /**
     * Whether a new passkey is a second factor too, so that the password alone opens nothing any more, where
     * `second_factor` does not say it. Default `true`.
     */
    secondFactor?: boolean
    /** How many passkeys a user may have. Default `20`. */
    max?: number
  }
}
