import { Type, type Static } from '@sinclair/typebox'
import type { Duration } from './durations.ts'
import type { RouteSwitch } from './route-path.ts'

/** What a person may sign in with. */
export type Identifier = 'username' | 'email'

/** The options of `app.register(accounts, options)`. Anything not named here is refused. */
export interface AccountsOptions {
  /** Signs the tokens: 32 random bytes or more. Default the environment's `JWT_SECRET_KEY`. */
  secret?: string | Buffer
  /** SQLite file, or `':memory:'`. Default the environment's `ACCOUNTS_DATABASE_URL`, then `'accounts.sqlite'`. */
  db?: string
  /** Path before every route. Default `'/auth'`. */
  prefix?: string
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
  /** The `aud` claim, written and required. Default `'fastify-jwt-accounts'`. */
  audience?: string
  /** What people sign in with. Default `['username', 'email']`: a name, and an address if they gave one. */
  identifiers?: Identifier[]
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
  /** Which routes there are, and where. Default all, under their own names. */
  routes?: {
    /** `POST /register`. Default true. */
    register?: RouteSwitch
    /** `POST /login`. Default true. */
    login?: RouteSwitch
    /** `POST /refresh`. Default true. */
    refresh?: RouteSwitch
    /** `POST /logout`. Default true. */
    logout?: RouteSwitch
    /** `GET /me`. Default true. */
    me?: RouteSwitch
  }
  /** Limits on guessing. `false`, its only value so far, leaves them to the host. Default false. */
  throttle?: false
}

const DurationSchema = (fallback: Duration, rule: { zero?: boolean } = {}) =>
  Type.Unsafe<Duration>({ duration: rule, default: fallback })

const LengthSchema = (fallback: number, minimum: number, maximum: number) =>
  Type.Integer({ default: fallback, minimum, maximum })

/** A part of a path; `/.` and `/..` are what browsers take away. */
const segment = '/(?![.]{1,2}(/|$))[A-Za-z0-9._~-]+'

const RouteSchema = Type.Unsafe<RouteSwitch>({
  type: ['boolean', 'string'], pattern: `^(${segment})+$`, default: true,
})

const closed = { additionalProperties: false, default: {} }

/** Checks and fills the options: the defaults stand here and nowhere else. */
export const OptionsSchema = (env: NodeJS.ProcessEnv) => Type.Object({
  db: Type.String({ minLength: 1, file: true, default: env.ACCOUNTS_DATABASE_URL || 'accounts.sqlite' }),
  prefix: Type.String({ pattern: `^(${segment})*$`, default: '/auth' }),
  access: Type.Object({
    expiresIn: DurationSchema(fromText(env.JWT_ACCESS_TOKEN_EXPIRES) ?? '15m'),
  }, closed),
  refresh: Type.Object({
    expiresIn: DurationSchema(fromText(env.JWT_REFRESH_TOKEN_EXPIRES) ?? '30d'),
    maxAge: DurationSchema('180d'),
    window: DurationSchema('30s', { zero: true }),
    replay: Type.Unsafe<'until-confirmed' | 'until-superseded'>({
      enum: ['until-confirmed', 'until-superseded'], default: 'until-confirmed',
    }),
  }, closed),
  issuer: Type.String({ minLength: 1, maxLength: 255, default: 'fastify-jwt-accounts' }),
  audience: Type.String({ minLength: 1, maxLength: 255, default: 'fastify-jwt-accounts' }),
  identifiers: Type.Array(Type.Unsafe<Identifier>({ enum: ['username', 'email'] }), {
    minItems: 1, uniqueItems: true, default: ['username', 'email'],
  }),
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
    register: RouteSchema, login: RouteSchema, refresh: RouteSchema, logout: RouteSchema, me: RouteSchema,
  }, closed),
  throttle: Type.Literal(false, { default: false }),
}, { additionalProperties: false })

/** The options as the schema leaves them. */
export type FilledOptions = Static<ReturnType<typeof OptionsSchema>>

/** In the environment everything is text: there, digits alone are seconds. */
function fromText (text: string | undefined): Duration | undefined {
  return text && /^\d+$/.test(text) ? Number(text) : text || undefined
}
