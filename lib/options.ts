import { Type, type Static, type TSchema } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AccountsTypes } from '../types/index.ts'
import type { Duration } from './durations.ts'
import type { RouteSwitch } from './route-path.ts'
import type { TokenClaims } from './tokens/access-token.ts'
import { algorithms, type Algorithm, type KeyPair } from './tokens/key.ts'
import type { AccountsUser } from './users/public-user.ts'

/** What a person may sign in with. */
export type Identifier = 'username' | 'email'

/** A place where a token may be. */
export type Location = 'header' | 'cookie' | 'body' | 'query'

/** How a session's tokens travel: in bodies, where scripts see them, or in cookies, where they do not. */
export type Transport = 'body' | 'cookie'

/** A request of any app. */
export type AnyRequest = FastifyRequest<any, any, any, any, any, any, any>

/** A reply of any app. */
export type AnyReply = FastifyReply<any, any, any, any, any, any, any>

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
  /** SQLite file, or `':memory:'`. Default the environment's `ACCOUNTS_DATABASE_URL`, then `'accounts.sqlite'`. */
  db?: string
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
  /** The `iss` claim, written and required. Default `'fastify-jwt-accounts'`. */
  issuer?: string
  /** The `aud` claim. Of a list the first is written, and each is accepted. Default `'fastify-jwt-accounts'`. */
  audience?: string | string[]
  /** How much clocks may differ when `exp` and `nbf` of access tokens are looked at, up to 5 minutes. Default 0. */
  leeway?: Duration
  /** More claims for access tokens, asked for each time one is made. Seconds count: nobody is let in meanwhile. Default none. */
  claims?: (user: AccountsUser, request?: AnyRequest) => CustomClaims | Promise<CustomClaims>
  /** A last look at a token's claims: anything but `true` is `ACCOUNTS_TOKEN_INVALID`. Default nobody is asked. */
  verifyClaims?: (claims: TokenClaims, request?: AnyRequest) => boolean | Promise<boolean>
  /** One more list of revoked tokens: anything but `false` is `ACCOUNTS_TOKEN_REVOKED`. Default nobody is asked. */
  isRevoked?: (claims: TokenClaims) => boolean | Promise<boolean>
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
    /** Other origins whose pages may send requests with our cookies, such as `'https://app.example.com'`. Default none. */
    trustedOrigins?: string[]
    /** Methods that need the proof. Default `['POST', 'PUT', 'PATCH', 'DELETE']`. */
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
    /** Fields of your own, as TypeBox schemas: given at registration, unless `readOnly`, and kept with the user. Default none. */
    fields?: Record<string, TSchema>
    /** Those that `request.user` and answers show. Default all. */
    public?: string[]
  }
  password?: {
    /** Fewest code points of a new password. Default 15 (NIST SP 800-63B-4: a password that is the only factor). */
    minLength?: number
    /** Most code points of a new password. Default 256. */
    maxLength?: number
    /** Cost of argon2id. Default OWASP's: 19456 KiB, 2 passes, 1 lane. */
    argon2?: {
      /** KiB. Default 19456. */
      memoryCost?: number
      /** Passes. Default 2. */
      timeCost?: number
      /** Lanes. Default 1. */
      parallelism?: number
    }
  }
  /** Which routes there are, and where. Default all but `revoke`, under their own names. */
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
    /** `GET /me`. Default true. */
    me?: RouteSwitch
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
  messages?: Record<string, string | ((request: AnyRequest, message: string) => string)>
  /** The realm of challenges. Default the name. */
  realm?: string
  /** Limits on guessing. `false`, its only value so far, leaves them to the host. Default false. */
  throttle?: false
}

/** What `claims` gives: as `AccountsTypes` says, or anything. */
type CustomClaims = AccountsTypes extends { claims: infer Claims } ? Claims : Record<string, unknown>

const DurationSchema = (fallback: Duration, rule: { zero?: boolean, most?: number } = {}) =>
  Type.Unsafe<Duration>({ duration: rule, default: fallback })

const LengthSchema = (fallback: number, minimum: number, maximum: number) =>
  Type.Integer({ default: fallback, minimum, maximum })

const OneOf = <Value>(values: readonly Value[], fallback?: Value) =>
  Type.Unsafe<Value>({ enum: values, ...fallback === undefined ? {} : { default: fallback } })

/** A function of the host's. */
const Callback = <Name extends 'claims' | 'verifyClaims' | 'isRevoked'>() =>
  Type.Optional(Type.Unsafe<NonNullable<AccountsOptions[Name]>>({ callable: true }))

/** A part of a path; `/.` and `/..` are what browsers take away. */
const segment = '/(?![.]{1,2}(/|$))[A-Za-z0-9._~-]+'

const RouteSchema = (fallback = true) => Type.Unsafe<RouteSwitch>({ type: ['boolean', 'string'], path: `^(${segment})+$`, default: fallback })

const closed = { additionalProperties: false, default: {} }

/** RFC 9110 §5.6.2, and what a cookie's path and domain may hold without ending the attribute (RFC 6265 §4.1.1). */
const token = "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$"
const label = '[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?'
const CookieSchema = Type.Object({
  name: Type.Optional(Type.String({ pattern: token })),
  path: Type.Optional(Type.String({ pattern: '^/[!-:=-~]*$' })),
}, closed)

const PartySchema = { minLength: 1, maxLength: 255 }

/** Checks and fills the options: the defaults stand here and nowhere else. */
export const OptionsSchema = Type.Object({
  algorithm: Type.Optional(OneOf<Algorithm>(algorithms)),
  db: Type.String({ minLength: 1, file: true, default: 'accounts.sqlite' }),
  prefix: Type.String({ path: `^(${segment})*$`, default: '/auth' }),
  name: Type.String({ pattern: '^[a-z][a-z0-9_]{0,30}$', default: 'accounts' }),
  decoratorName: Type.String({ pattern: '^[A-Za-z_$][\\w$]*$', default: 'user' }),
  access: Type.Object({
    expiresIn: DurationSchema('15m'),
  }, closed),
  refresh: Type.Object({
    expiresIn: DurationSchema('30d'),
    maxAge: DurationSchema('180d'),
    window: DurationSchema('30s', { zero: true }),
    replay: OneOf(['until-confirmed', 'until-superseded'] as const, 'until-confirmed'),
  }, closed),
  issuer: Type.String({ ...PartySchema, default: 'fastify-jwt-accounts' }),
  audience: Type.Optional(Type.Unsafe<string | string[]>({
    type: ['string', 'array'], ...PartySchema, minItems: 1, uniqueItems: true, items: { type: 'string', ...PartySchema },
  })),
  leeway: DurationSchema(0, { zero: true, most: 300 }),
  claims: Callback<'claims'>(),
  verifyClaims: Callback<'verifyClaims'>(),
  isRevoked: Callback<'isRevoked'>(),
  headerFields: Type.Record(Type.String(), Type.Unsafe<string | number | boolean>({ type: ['string', 'number', 'boolean'] }), { default: {} }),
  transport: OneOf(['body', 'cookie', 'both'] as const, 'body'),
  cookies: Type.Object({
    access: CookieSchema,
    refresh: CookieSchema,
    csrf: CookieSchema,
    domain: Type.Optional(Type.String({ pattern: `^\\.?${label}(\\.${label})*$`, maxLength: 253 })),
    sameSite: OneOf(['strict', 'lax', 'none'] as const, 'lax'),
    secure: Type.Boolean({ default: true }),
    partitioned: Type.Boolean({ default: false }),
    persistent: Type.Boolean({ default: true }),
  }, closed),
  csrf: Type.Object({
    header: Type.String({ pattern: token, default: 'x-csrf-token' }),
    trustedOrigins: Type.Array(Type.String({ origin: true }), { default: [] }),
    methods: Type.Array(Type.String({ pattern: '^[A-Z]+$' }), { minItems: 1, default: ['POST', 'PUT', 'PATCH', 'DELETE'] }),
    formField: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  }, closed),
  locations: Type.Optional(LocationsSchema()),
  header: Type.Object({
    name: Type.String({ pattern: token, default: 'authorization' }),
    scheme: Type.String({ pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]{0,64}$", default: 'Bearer' }),
  }, closed),
  identifiers: Type.Array(OneOf<Identifier>(['username', 'email']), {
    minItems: 1, uniqueItems: true, default: ['username', 'email'],
  }),
  user: Type.Object({
    fields: Type.Record(Type.String(), Type.Unsafe<TSchema>({ type: 'object' }), { default: {} }),
    public: Type.Optional(Type.Array(Type.String(), { uniqueItems: true })),
  }, closed),
  password: Type.Object({
    minLength: LengthSchema(15, 8, 256),
    maxLength: LengthSchema(256, 64, 1024),
    argon2: Type.Object({
      memoryCost: LengthSchema(19456, 1024, 4194304),
      timeCost: LengthSchema(2, 1, 1000),
      parallelism: LengthSchema(1, 1, 128),
    }, closed),
  }, closed),
  routes: Type.Object({
    register: RouteSchema(),
    login: RouteSchema(),
    refresh: RouteSchema(),
    logout: RouteSchema(),
    reauthenticate: RouteSchema(),
    me: RouteSchema(),
    jwks: RouteSchema(),
    revoke: RouteSchema(false),
    introspect: RouteSchema(),
  }, closed),
  introspection: Type.Object({
    clients: Type.Array(Type.Object({
      id: Type.String({ minLength: 1, maxLength: 255 }), secret: Type.String({ minLength: 32, maxLength: 255 }),
    }, { additionalProperties: false }), { default: [] }),
  }, closed),
  messages: Type.Record(Type.String(), Type.Unsafe<string | ((request: AnyRequest, message: string) => string)>({ message: true }), { default: {} }),
  realm: Type.Optional(Type.String({ pattern: '^[ !#-[\\]-~]{1,100}$' })),
  throttle: Type.Literal(false, { default: false }),
}, { additionalProperties: false })

/** The options as the schema leaves them. */
export type FilledOptions = Static<typeof OptionsSchema>

/** Places to look for a token, each once. */
export function LocationsSchema () {
  return Type.Array(OneOf<Location>(['header', 'cookie', 'body', 'query']), { minItems: 1, uniqueItems: true })
}
