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
import type { OnIdentityLinked } from '../lib/features/providers/options.ts'
import type { Provider } from '../lib/features/providers/provider.ts'
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
import type { RolePermissions } from '../lib/users/permissions.ts'
import type { TSchema } from '@sinclair/typebox'

/** The options of `app.register(accounts, options)`. Anything not named here is refused. */
export interface AccountsOptions {
  /**
   * Signs the tokens: a string or Buffer of 32 random bytes or more (`openssl rand -base64 48`), or a key pair. A pair
   * is `{ private, public, kid, algorithm }`, with keys as PEM, KeyObject or JWK. In a list the first key signs, and
   * all verify. An app with public keys only verifies tokens and issues none. Default the environment's
   * `JWT_SECRET_KEY`.
   */
  secret?: Secret | Secret[]
  /**
   * The algorithm of the first key. Only an RSA key has a choice. Default follows from the first key; `'RS256'` for an
   * RSA key.
   */
  algorithm?: 'HS256' | 'RS256' | 'PS256' | 'ES256' | 'ES384' | 'ES512' | 'EdDSA'
  access?: {
    /** The lifetime of an access token. Default the environment's `JWT_ACCESS_TOKEN_EXPIRES`, then `'15m'`. */
    expiresIn?: Duration
  }
  /** The `iss` claim, written and required. Default `'fastify-jwt-accounts'`. */
  issuer?: string
  /**
   * The `aud` claim, written and required. In a list the first is written, and all are accepted. Default
   * `'fastify-jwt-accounts'`; with another `name`, followed by a slash and the name.
   */
  audience?: string | string[]
  /**
   * How much clocks may differ when `exp` and `nbf` of access tokens are checked, up to 5 minutes. The end of a session
   * has no leeway. Default `0`.
   */
  leeway?: Duration
  /** More fields for the header of every token. Default `{}`. */
  headerFields?: Record<string, string | number | boolean>
  /**
   * Encrypts stored data that has to be read again, such as seeds of authenticator apps: a string or Buffer of 32
   * random bytes or more (`openssl rand -base64 48`). In a list the first key encrypts, and all decrypt. Default the
   * environment's `ACCOUNTS_ENCRYPTION_KEY`, then the HMAC secrets of `secret`; none with pairs of keys alone.
   */
  encryptionKey?: EncryptionKey | EncryptionKey[]
  /**
   * An SQLite file, `':memory:'`, or the URL of a PostgreSQL, MySQL or MariaDB database, such as
   * `'postgresql://user:password@host:5432/database'`. The parameter `connection_limit` limits the connections of this
   * process; 10 by default. Default the environment's `ACCOUNTS_DATABASE_URL`, then `'accounts.sqlite'`.
   */
  db?: string
  /**
   * A MikroORM of your own, or a function that returns it, instead of `db`. The accounts use its connections. Your app
   * closes it. Default none.
   */
  orm?: OrmOption
  /** Who creates and migrates the tables: the plugin, or with `'none'` your own migrations. Default `'migrate'`. */
  schema?: 'migrate' | 'none'
  prune?: {
    /**
     * How often expired rows are deleted, up to a week. 0: only when you call `app.accounts.prune()`. Default `'1h'`.
     */
    interval?: Duration
  }
  /** The path prefix of every route. Default `'/auth'`. */
  prefix?: string
  /**
   * The name of `app[name]`, the tables, the cookies and the default audience: one for each kind of users. Default
   * `'accounts'`.
   */
  name?: string
  /** The realm of challenges. Default the name. */
  realm?: string
  /**
   * Your own messages for errors, by code: a text, or `(request, message) => string`, which receives the default
   * message. Default `{}`.
   */
  messages?: Messages<ErrorCode>
  refresh?: {
    /**
     * How long a session may be idle. Each refresh extends it. Default the environment's `JWT_REFRESH_TOKEN_EXPIRES`,
     * then `'30d'`.
     */
    expiresIn?: Duration
    /** The maximum lifetime of a session, however often it is refreshed. Default `'180d'`. */
    maxAge?: Duration
    /**
     * How long a used refresh token is answered again, with a token of the next generation. 0 makes every token work
     * once. Default `'30s'`.
     */
    window?: Duration
    /**
     * Until when a client may repeat a refresh whose response was lost, after the window. Default `'until-confirmed'`.
     */
    replay?: 'until-confirmed' | 'until-superseded'
  }
  sessions?: {
    /** The maximum number of sessions of a user, up to 1000. Simultaneous logins do not exceed it. Default `50`. */
    max?: number
    /**
     * Whether a further login ends the least recently used session, or is refused with 403 `ACCOUNTS_SESSIONS_FULL`.
     * Default `'end-oldest'`.
     */
    whenFull?: 'end-oldest' | 'refuse'
    /**
     * The schema of your own data of a session, such as the active tenant: a `Type.Object` of `@sinclair/typebox` 0.34
     * or `typebox` 1. At most 4096 bytes as JSON. It is set by `hooks.onSession`, `issueTokens` or
     * `app.accounts.sessions.setData`, and passed to `claims`. Unknown members are refused, at every depth. Default
     * none.
     */
    data?: TSchema | TypeBox1Schema
  }
  /** How soon this process learns what others have revoked. */
  revocation?: {
    /** How often the log of revocations is checked, up to a minute: one read of one row. Default `'1s'`. */
    pollInterval?: Duration
    /**
     * After this time without a successful read of the log, guards query the database, or answer 503. Longer than
     * `pollInterval`, up to 5 minutes. Default `'5s'`.
     */
    maxStaleness?: Duration
    /**
     * A message bus of your own: `(onMessage) => tell`, or a promise of it, called once. Call `onMessage` when another
     * process has sent a message; `tell` is called when this process has revoked something. Messages are only hints and
     * may be late or lost. Default none.
     */
    wake?: Wake
  }
  /**
   * Your functions that are called when something happens. Unless a hook says otherwise, it runs after everything is
   * stored, the response does not wait for it, and a failure is logged.
   */
  hooks?: {
    /**
     * Runs in the transaction of a registration, after the user was written: what it writes with `em` is stored
     * together with the user, or not at all. If it throws an error with a `statusCode` of 4xx, that is the response;
     * any other error is a 500 without details. The body contains no password. It may run again if the transaction
     * does. Default none.
     */
    onRegister?: OnRegister
    /**
     * A user was created: by registration, by code or from the command line (`users.create`). Without a registration
     * the source is null. Default none.
     */
    onRegistered?: OnRegistered
    /**
     * Returns the data of a new session (`sessions.data`), or nothing, before anything is stored, even the user of a
     * registration. The response waits for it. If it throws an error with a `statusCode` of 4xx, that is the response;
     * any other error is a 500 without details. Data that does not match the schema is `ACCOUNTS_INPUT_INVALID`. Code
     * that starts a session (`issueTokens`) may have no request. Default none.
     */
    onSession?: OnSession
    /** A session started with a password. Default none. */
    onLogin?: OnUser
    /** A login failed. It receives what was typed as a user name or address, never the password. Default none. */
    onLoginFailed?: OnLoginFailed
    /** A session was refreshed. Default none. */
    onRefresh?: OnUser
    /** Somebody logged out. Default none. */
    onLogout?: OnUser
    /**
     * A used refresh token of this session was used again, so somebody may have stolen it. The session has ended.
     * Default none.
     */
    onReuse?: OnReuse
    /** A user changed their password. Default none. */
    onPasswordChanged?: OnUser
    /**
     * Somebody proved to own the so far unverified address of an account: its sessions and its password are no longer
     * valid. Runs in the same transaction: remove with `em` what a stranger may have left, such as linked identities.
     * If it throws an error with a `statusCode` of 4xx, that is the response; any other error is a 500 without details.
     * Then nothing is stored. Default none.
     */
    onReclaim?: OnReclaim
    /**
     * Runs in the transaction that deletes a closed account, before the deletion: write or delete your own rows with
     * `em`. If it throws, the account is not deleted. Without a grace period the error is the response, as in
     * `onRegister`; after one it is logged, and the hook runs again at the next attempt. Default none.
     */
    onClose?: OnClose
    /**
     * Returns your data about a user as JSON, or a promise of it: the member `app` of an export, which waits for it. If
     * it throws an error with a `statusCode` of 4xx, that is the response; any other error is a 500 without details.
     * Default none.
     */
    onExport?: OnExport
    /**
     * Runs in the transaction in which an invitation is accepted: add the user to a team with `em`, using the `data` of
     * the invitation. If it throws an error with a `statusCode` of 4xx, that is the response; any other error is a 500
     * without details. Then nothing is stored. It may run again if the transaction does. Default none.
     */
    onInvitationAccepted?: OnInvitationAccepted
    /**
     * The second factors of a user have changed: `{ what, change }` says which, and how. Use it to notify the user
     * (ASVS 5 6.3.7); with `mail` the plugin already sends a mail. Default none.
     */
    onFactorsChanged?: OnFactorsChanged
    /**
     * A user has an identity more at another provider, by which they sign in: `{ provider, email }`. For a notice of
     * your own (ASVS 5 6.3.7); with `mail` users are told by mail already. Default none.
     */
    onIdentityLinked?: OnIdentityLinked
  }
  /**
   * What users sign in with: a user name, an e-mail address, or either. With both, the address is optional. Default
   * `['username', 'email']`.
   */
  identifiers?: Identifier[]
  user?: {
    /**
     * Your own fields of users, as schemas of `@sinclair/typebox` 0.34 or `typebox` 1. Registration asks for all that
     * are not `readOnly`. A field with `unique: true` allows each value once. Only code and admins write `readOnly`
     * members. Default `{}`.
     */
    fields?: Record<string, TSchema | TypeBox1Schema>
    /** The names of the fields that `request.user` and responses contain. Default all. */
    public?: string[]
  }
  /** Who may read and change accounts of others. */
  admin?: {
    /**
     * Which permissions each role gives, such as `{ admin: ['*'], support: ['users:read', 'users:reset'] }`. `'*'`
     * gives all. What you give replaces the default. Give it alike in all processes. Default `{ admin: ['*'] }`.
     */
    roles?: RolePermissions
    /**
     * Lets admins with the permission `users:impersonate` act as a user: `POST /users/:id/impersonate`. Default off.
     */
    impersonation?: boolean | {
      /**
       * How long a borrowed session lives: no longer than an access token may, since it is one that nothing refreshes.
       * Default `'30m'`, or `access.expiresIn` where that is shorter.
       */
      maxAge?: Duration
      /** Sends the user a mail whenever an admin borrows a session of theirs, where `mail` is on. Default `true`. */
      notify?: boolean
    }
  }
  /** How tokens are sent. With `'both'` the client chooses at registration and login. Default `'body'`. */
  transport?: 'body' | 'cookie' | 'both'
  /**
   * Each cookie has a `name` and a `path`. If the other settings do not allow a prefix, the default name omits it, and
   * a name of yours with it is refused. With another `name` of the accounts, that name is part of the cookie names.
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
    /** The CSRF value, readable by scripts. Default `__Host-csrf` on `/`. */
    csrf?: {
      name?: string
      path?: string
    }
    /** Identifies the browser that requested a mail. Default `__Host-challenge` on `/`. */
    challenge?: {
      name?: string
      path?: string
    }
    /** Identifies the browser that has passed the first factor. Default `__Secure-ticket` on the prefix. */
    ticket?: {
      name?: string
      path?: string
    }
    /** Identifies a browser that is not asked for a second factor. Default `__Host-remember` on `/`. */
    remember?: {
      name?: string
      path?: string
    }
    /**
     * Identifies the browser that was sent to another provider. A hyphen and eight characters follow the name. Default
     * `__Host-flow` on `/`.
     */
    flow?: {
      name?: string
      path?: string
    }
    /** Identifies a known device, for `throttle`. Default `__Secure-device` on the prefix. */
    device?: {
      name?: string
      path?: string
    }
    /** Sends the cookies to all subdomains of this domain too. Default to this host alone. */
    domain?: string
    /** Whether requests from other sites contain the cookies. Default `'lax'`. */
    sameSite?: 'strict' | 'lax' | 'none'
    /** `false` allows cookies without TLS. Default `true`. */
    secure?: boolean
    /** Separates cookies by the site that embeds this one (CHIPS). Default `false`. */
    partitioned?: boolean
    /**
     * Whether cookies outlive the browser window; a login overrides it with `remember`. Never longer than their token
     * or 400 days. Default `true`.
     */
    persistent?: boolean
  }
  csrf?: {
    /** The header that holds `csrf_token`. Default `'x-csrf-token'`. */
    header?: string
    /**
     * Origins whose pages may send requests with the cookies, such as `'https://app.example.com'`. The origin of your
     * own pages is needed if browsers send no `Sec-Fetch-Site`: on plain HTTP except localhost, and in Safari before
     * 16.4. Default `[]`.
     */
    trustedOrigins?: string[]
    /**
     * Methods that need the proof on your own routes. The routes of the plugin always use the default. Default all but
     * GET, HEAD, OPTIONS, TRACE and QUERY.
     */
    methods?: string[]
    /**
     * A field of the body that may contain `csrf_token`, for forms on your own routes, also with files
     * (@fastify/multipart with `attachFieldsToBody`). Guards see it in `preValidation` and `preHandler`. Default none.
     */
    formField?: string
  }
  /** Where guards look for tokens, in this order. Default `['header']`, with cookies `['header', 'cookie']`. */
  locations?: Location[]
  header?: {
    /** The header that contains the token. Default `'authorization'`. */
    name?: string
    /** The word before the token, case-insensitive. `''` for none, in a header of your own. Default `'Bearer'`. */
    scheme?: string
  }
  /**
   * The property of requests that holds the user. If you register @fastify/jwt yourself, register it first, or choose
   * another name here: it also claims `request.user`, and fails with "The decorator 'user' has already been added!"
   * Default `'user'`.
   */
  decoratorName?: string
  /**
   * `(claims, request) => boolean`, or a promise of it: checks the claims of a token that is not revoked, before its
   * user is read. Anything but `true` is 401 `ACCOUNTS_CLAIMS_REFUSED`. It only needs the token, so `'stateless'`
   * guards call it too. Default none.
   */
  verifyClaims?: VerifyClaims
  /**
   * `(claims, request) => boolean`, or a promise of it: an additional list of revoked tokens. Anything but `false` is
   * 401 `ACCOUNTS_TOKEN_REVOKED`. `'stateless'` guards do not call it. Default none.
   */
  isRevoked?: IsRevoked
  /**
   * `(user, request, { data }) => object`, or a promise of it: more claims for access tokens. Called whenever an access
   * token is made, with the `sessions.data` of its session or null. Keep it fast: the login or refresh waits for it.
   * Reserved claim names are refused. Everybody who holds the token can read the claims, and they have to stay small.
   * Default none.
   */
  claims?: GiveClaims
  /**
   * Which routes exist, and where: `false` turns a route off, `true` turns it on, and a text such as `'/sign-out'` sets
   * its path below the prefix.
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
    /** `GET /users`, `GET`, `PATCH` and `DELETE /users/:id`, and what is below it, for admins. Default `false`. */
    users?: RouteSwitch
    /** `GET /jwks.json`, if there is a public key. Default `true`. */
    jwks?: RouteSwitch
    /** `POST /revoke` (RFC 7009). Default `false`. */
    revoke?: RouteSwitch
    /** `POST /introspect` (RFC 7662), for `introspection.clients`. Default `true`. */
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
     * are for users with the permission `users:invite`, `POST /invitations/show` and `POST /invitations/accept` for the
     * others. Default `false`.
     */
    invitations?: RouteSwitch
    /** `POST /email/verify`, `POST /email/verify/send`, `POST /email/disown`, with mail. Default `true`. */
    verifyEmail?: RouteSwitch
    /** `PUT /email`, `POST /email/change`, `POST /email/revert`, with mail. Default `true`. */
    changeEmail?: RouteSwitch
    /** `GET /factors` and everything below it, with `factors` or `passkeys`. Default `true`. */
    factors?: RouteSwitch
    /** `/passkeys` and everything below it, with `passkeys`. Default `true`. */
    passkeys?: RouteSwitch
    /** `/keys` and what is below it, with `keys`. Default `true`. */
    keys?: RouteSwitch
    /** `GET /events`, for users with the permission `audit:read`. Needs `events.store`. Default `false`. */
    events?: RouteSwitch
    /** `GET /providers` and what is below it, with `providers`. Default `true`. */
    providers?: RouteSwitch
    /** `/identities` and what is below it, with `providers`. Default `true`. */
    identities?: RouteSwitch
    /**
     * `GET /admin`, a page for admins in a browser. Needs `routes.users` and `routes.login`, and a `transport` other
     * than `'cookie'`. Default `false`.
     */
    adminPage?: RouteSwitch
  }
  introspection?: {
    /**
     * `{ id, secret }` of each service that may introspect tokens. A secret has 32 characters or more. Default `[]`.
     */
    clients?: { id: string, secret: string }[]
  }
  /**
   * Publishes metadata and keys at `/.well-known/openid-configuration` and related paths, for verifiers that know only
   * the issuer. Needs an issuer that is an https URL, and an asymmetric key. Default `false`.
   */
  discovery?: boolean
  password?: {
    /**
     * Minimum length of a new password, in code points. NIST SP 800-63B-4 asks for 15 if nothing else protects the
     * account. At least 8. Default `15`.
     */
    minLength?: number
    /** Maximum length of a new password, in code points. Default `256`. */
    maxLength?: number
    /** Refuses common passwords, repetitions, and sequences of letters, digits or keys. Default `true`. */
    blocklist?: boolean
    /**
     * Words of your app that a new password must not be built on. The user's name and address are always checked.
     * Default `[]`.
     */
    contextWords?: string[]
    /**
     * Your own rule, applied before `breached`: `(password, { username, email }) => true`, or a text such as `'must not
     * hold a year'`. Anything else refuses it without a reason. Default none.
     */
    check?: CheckPassword
    /**
     * Checks new passwords against a list of breached ones, as the last rule; `{}` is enough. Only 5 digits of a hash
     * leave the process. Default off.
     */
    breached?: {
      /** The URL of the list; the 5 digits are appended. Default `'https://api.pwnedpasswords.com/range/'`. */
      url?: string
      /** The time limit for the list, up to a minute. Default `'2s'`. */
      timeout?: Duration
      /**
       * Whether a password is accepted, with a warning in the log, or refused with `ACCOUNTS_UNAVAILABLE` if the list
       * does not answer. Default `'accept'`.
       */
      whenUnreachable?: 'accept' | 'refuse'
      /** Refuses a password that was found in breaches at least this many times. Default `1`. */
      minCount?: number
    }
    /** The cost of argon2id. If you raise it, each login upgrades the hash of its user. Default OWASP's. */
    argon2?: {
      /** Memory, in KiB. Default `19456`. */
      memoryCost?: number
      /** The number of passes over the memory. Default `2`. */
      timeCost?: number
      /** The number of lanes, each a thread. Default `1`. */
      parallelism?: number
    }
    /**
     * How many passwords are hashed at once, by all accounts of a server together. Default the number of cores, at most
     * one less than the threads of libuv.
     */
    concurrency?: number
    /** How many requests may wait for a hash. More requests get 503 `ACCOUNTS_BUSY`. Default `100`. */
    waiting?: number
    /** A hasher that replaces `password.argon2`: `{ hash, verify, needsRehash }`. Default the package argon2. */
    hasher?: PasswordHasher
    /**
     * Verifiers for hashes of another system, which the next login replaces. Use `legacy.bcrypt({ cost })`,
     * `legacy.scrypt({ N, r, p })`, `legacy.pbkdf2({ iterations })`, or your own. Default `[]`.
     */
    legacy?: PasswordVerifier[]
    /**
     * A secret that is mixed into passwords before they are hashed, and that is not in the database. A string or Buffer
     * of 32 random bytes or more, or a list: the first is used, all verify. Default none.
     */
    pepper?: PepperSecret | PepperSecret[]
  }
  /**
   * Limits on guessing: how many failures have no consequence. Each further one causes a wait of 2 seconds, then 4, 8
   * and so on, at most 15 minutes. Behind a proxy, set `trustProxy` in Fastify, or all clients count as one network.
   * `false` turns the limits off. Default on.
   */
  throttle?: false | {
    /** Failures per account and network before waits begin. Default `5`. */
    accountNetwork?: number
    /** Failures per network before waits begin, registrations included. Default `50`. */
    network?: number
    /** Failures per account, from everywhere, before waits begin (NIST SP 800-63B-4 §3.2.2). Default `100`. */
    account?: number
    /** Wrong second factors per user before waits begin; one is forgotten every 15 minutes. Default `5`. */
    factor?: number
    mail?: {
      /** Mails per address before waits begin; one is forgotten every 12 minutes. At most 20 a day. Default `5`. */
      address?: number
      /** Mails per requesting network before waits begin; one is forgotten every minute. Default `20`. */
      network?: number
    }
  }
  /** Events of accounts are published on channels of node:diagnostics_channel, and can be stored in a table as well. */
  events?: {
    /**
     * Stores every event of an account in the table `accounts_events`, in the same transaction as what it reports.
     * Default `false`.
     */
    store?: boolean
    /** How long stored events are kept. Default `'90d'`. */
    keepFor?: Duration
    /**
     * How often stored events are sealed, so that nobody changes them unnoticed. `false` seals none. Needs a `secret`.
     * Default `'5s'`.
     */
    seal?: Duration | false
  }
  /**
   * Mails of accounts. `true` keeps them in an outbox for development; with `smtp` or `send` they are sent. Default
   * off.
   */
  mail?: boolean | {
    /** The sender of mails: an address, or `Example <accounts@example.com>`. Default none; required to send mails. */
    from?: string
    /** The name of your app in mails. Default none; required to send mails. */
    appName?: string
    /**
     * `(mail, { signal, attempt }) => Promise`: sends one mail through a service of your choice. It may be called again
     * for the same mail, with the same `id`. If it rejects, it is called again later, unless the error has `permanent:
     * true`. Default none.
     */
    send?: SendMail
    /**
     * The SMTP server, used with the package nodemailer: a URL, or options of nodemailer. TLS is required except on
     * this machine. Default the environment's `ACCOUNTS_SMTP_URL`.
     */
    smtp?: SmtpServer
    links?: {
      /**
       * The URL that links in mails begin with. It is never taken from a request. Default this machine; needed in
       * production.
       */
      base?: string
      /** Where a link contains its token. No server and no log sees a fragment. Default `'fragment'`. */
      style?: 'fragment' | 'query'
      /** The path of your page that verifies an address, below the base. Default a page of ours. */
      verify?: string
      /** The path of your page that confirms a new address, below the base. Default a page of ours. */
      change?: string
      /** The path of your page that reverts a change of address, below the base. Default a page of ours. */
      revert?: string
      /** The path of your page that resets a password, below the base. Default a page of ours. */
      reset?: string
      /** The path of your page that restores a closed account, below the base. Default a page of ours. */
      restore?: string
      /** The path of your page that disowns an address, below the base. Default a page of ours. */
      disown?: string
      /** The path of your page that signs in by mail, below the base. Needed if that is on. Default none. */
      login?: string
      /** The path of your page that completes a registration, below the base. Needed if that is on. Default none. */
      register?: string
      /** The path of your page that accepts an invitation, below the base. Needed if that is on. Default none. */
      invite?: string
    }
    code?: {
      /**
       * The number of digits of codes in mails. With 8, somebody with 5 tries at each of a million accounts hits one
       * with a probability of 5 %. Default `8`.
       */
      digits?: number
    }
    /** The most mails that a process sends in a second. Default `10`. */
    rate?: number
    /** Whether this process sends mails: its own, and those that other processes left unsent. Default `true`. */
    worker?: boolean
    /** Serves built-in pages for links that have no path of yours. Default `true`. */
    pages?: boolean
    /**
     * What is sent to an address without an account when somebody requests a mail to it: nothing, or a mail that says
     * so. Default `'silent'`.
     */
    unknown?: 'silent' | 'tell'
    /** Which notices are sent. */
    notices?: {
      /** The password was changed. Default `true`. */
      passwordChanged?: boolean
      /**
       * The address was changed. Goes to the old address, with a link that reverts the change for 7 days. Default
       * `true`.
       */
      emailChanged?: boolean
      /** Somebody signed in from a browser and a network that the user had not used before. Default `true`. */
      newDevice?: boolean
      /** Somebody signed in by mail. Default `true`. */
      loginByMail?: boolean
      /** A session was ended because its refresh token was used twice: somebody may have stolen it. Default `true`. */
      reuse?: boolean
      /** The account will be deleted. Contains a link that keeps it. Default `true`. */
      closing?: boolean
      /** The account was deleted. Default `true`. */
      closed?: boolean
      /** The user was given new roles. Default `true`. */
      rolesRaised?: boolean
      /** A second factor was set up, replaced or removed. Default `true`. */
      factorsChanged?: boolean
      /** An API key was created. Default `true`. */
      keyCreated?: boolean
      /** An admin acts as the user for a while. Default `true`. */
      impersonated?: boolean
      /** An identity at another provider was linked. Default `true`. */
      identityLinked?: boolean
    }
    /**
     * `(user, request) => 'de'`: the language of a mail. Return undefined to use the language of the browser. Default
     * none.
     */
    locale?: LocaleOfUser
    /** Texts of mails by language, which override the built-in ones. Default English and German. */
    locales?: MailLocales
    /**
     * `{ reset: (data, words) => ({ subject, text, html }) }`: your own mails, instead of the built-in ones or in
     * addition. Default ours.
     */
    templates?: MailTemplates
  }
  closing?: {
    /**
     * How long a closed account is kept before it is deleted, up to 90 days. Until then its user can restore it. 0
     * deletes at once. Default `0`.
     */
    grace?: Duration
  }
  email?: {
    /**
     * Whether a registration verifies the address. `'offered'` signs the user in at once and sends a mail. `'first'`
     * creates the user only after the proof. `'none'` sends no mail. Default `'offered'` with mail, else `'none'`.
     */
    verification?: 'none' | 'offered' | 'first'
    /**
     * Whether a change of address has to be confirmed from the old address first, if that is verified. Default `false`.
     */
    confirmOld?: boolean
  }
  /** Second factors: authenticator apps and recovery codes. Default off. */
  factors?: boolean | {
    /**
     * The name of your app in authenticator apps. Default the host of the first of `passkeys.origins`, else `issuer`.
     */
    issuer?: string
    /**
     * Who must have two factors: a list of roles, or `(user) => boolean`, which runs when a user is read and must be
     * fast. A user without one sets it up at the next sign-in. Default `[]`.
     */
    requireFor?: string[] | RequiresFactor
    /**
     * How long a browser can be remembered with `remember_device`, so that it is not asked for a second factor. Only
     * with tokens in cookies. Default `false`.
     */
    remember?: Duration | false
    /** How much time a user has between the first and the second factor, up to an hour. Default `'5m'`. */
    ticket?: Duration
    /** How many recovery codes a user gets. Default `10`. */
    recoveryCodes?: number
  }
  /** Sign-in with passkeys, with the package @simplewebauthn/server. Default off. */
  passkeys?: false | {
    /**
     * The exact origins of your pages and apps, with the port. Passkeys from other origins are refused. The first must
     * be an `https:` origin or `http://localhost`. Default none; needed.
     */
    origins?: string[]
    /**
     * The domain that passkeys belong to: the host of the first origin, or a parent domain of it. If you change it, all
     * existing passkeys stop working. Default the host of the first origin.
     */
    rpId?: string
    /** The name of your app that authenticators may show. Default `passkeys.rpId`. */
    rpName?: string
    /**
     * Whether a new passkey is also a second factor, so that the password alone no longer signs in. A request can
     * override it with `second_factor`. Default `true`.
     */
    secondFactor?: boolean
    /** The maximum number of passkeys of a user. Default `20`. */
    max?: number
  }
  /** API keys, for programs that act for a user. Default off. */
  keys?: boolean | {
    /**
     * What every key begins with, before an underscore: a word of your own, so that scanners of secrets know whose a
     * key is. With another one all keys that are there are lost. Default `'fja'`.
     */
    prefix?: string
    /** What keys may be for, such as `['orders:read', 'orders:write']`: any other is refused. Default `[]`. */
    scopes?: string[]
    /** How long a key lives that asks for nothing else. Default `'90d'`. */
    expiresIn?: Duration
    /** How long a key may live at most. With `false` there may be keys that never expire. Default `'365d'`. */
    maxAge?: Duration | false
    /** How many keys a user may have. Default `25`. */
    max?: number
    /**
     * How long the key of before is good after a rotation, if that does not say it: 7 days at most. Default `'24h'`.
     */
    overlap?: Duration
    /**
     * One more header that holds a key, by itself, such as `'x-api-key'`. A key in it counts before any other
     * credentials. Default none.
     */
    header?: string
    /** Whether every guard of yours takes keys that does not say `keys: false`. Default `false`. */
    everywhere?: boolean
  }
  /**
   * Other providers by which users sign in, made by `fastify-jwt-accounts/providers`. It needs the package
   * openid-client. Default none.
   */
  providers?: Provider[]
  /** Whether an address that is proved on both sides links. Default `'verified'`. */
  linking?: 'verified' | 'signed-in'
  /** The way to `providers` and back. */
  providerFlow?: {
    /**
     * Where the app is reached from outside: providers send browsers back to the prefix below it. Default the
     * environment's `ACCOUNTS_PROVIDER_URL`, then the first of `passkeys.origins`; else needed with `providers`.
     */
    url?: string
    /**
     * Where browsers may go at the end, beside paths of the app itself. The origin and the path have to be these, and
     * the query may be any. Default `[]`.
     */
    returnTo?: string[]
  }
}
