import { randomBytes } from 'node:crypto'
import { Type, type Static } from '@sinclair/typebox'
import { Ajv } from 'ajv'
import type { FastifyBaseLogger } from 'fastify'
import { inSeconds, isDuration, type Duration } from './durations.ts'
import { OptionsInvalid } from './errors.ts'
import { contradictions, secretProblems, sentence, type GivenOptions } from './problems.ts'
import { pathOf, type RouteName, type RouteSwitch } from './route-path.ts'

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

const RouteSchema = Type.Unsafe<RouteSwitch>({
  type: ['boolean', 'string'], pattern: '^(/[A-Za-z0-9._~-]+)+$', default: true,
})

const closed = { additionalProperties: false, default: {} }

/** Checks and fills the options: the defaults stand here and nowhere else. */
export const OptionsSchema = (env: NodeJS.ProcessEnv) => Type.Object({
  db: Type.String({ minLength: 1, file: true, default: env.ACCOUNTS_DATABASE_URL || 'accounts.sqlite' }),
  prefix: Type.String({ pattern: '^(/[A-Za-z0-9._~-]+)*$', default: '/auth' }),
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

/** The options, checked and filled, with every duration in seconds. */
export interface Settings extends Omit<FilledOptions, 'access' | 'refresh' | 'routes' | 'throttle'> {
  secret: Buffer
  /** Where each route is below the prefix. What is off is not there. */
  routes: Partial<Record<RouteName, string>>
  access: { expiresInSeconds: number }
  refresh: {
    expiresInSeconds: number
    maxAgeSeconds: number
    windowSeconds: number
    replay: 'until-confirmed' | 'until-superseded'
  }
}

/**
 * Fills the options from the environment and the defaults.
 * @throws {OptionsInvalid} `ACCOUNTS_OPTIONS_INVALID`, naming everything that is wrong at once
 */
export function readOptions (given: AccountsOptions, env: NodeJS.ProcessEnv, log: FastifyBaseLogger): Settings {
  const { secret = env.JWT_SECRET_KEY || undefined, ...rest } = given
  const options = copy(rest) as GivenOptions
  const check = checkerOf(env)
  const problems = [
    ...check(options) ? [] : check.errors!.map(sentence),
    ...contradictions(options),
    ...secretProblems(secret, env),
  ]
  if (problems.length > 0) throw new OptionsInvalid(problems.join('; '))

  if (secret === undefined) {
    log.warn('fastify-jwt-accounts has no secret: a random one signs until this process ends, which logs everybody out. Set JWT_SECRET_KEY.')
  }
  return settingsOf(options as FilledOptions, secret === undefined ? randomBytes(64) : Buffer.from(secret))
}

function checkerOf (env: NodeJS.ProcessEnv) {
  const ajv = new Ajv({ allErrors: true, useDefaults: true, verbose: true, allowUnionTypes: true })
  ajv.addKeyword({ keyword: 'duration', validate: ({ zero }: { zero?: boolean }, value: unknown) => isDuration(value, zero) })
  ajv.addKeyword({ keyword: 'file', type: 'string', validate: (_: true, value: string) => !/^[a-z][a-z0-9+]*:\/\/|\0/i.test(value) })
  return ajv.compile(OptionsSchema(env))
}

/** A deep copy of plain objects, so that filling in defaults never writes into what the caller holds. */
function copy (value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value) || Buffer.isBuffer(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copy(inner)]))
}

/** In the environment everything is text: there, digits alone are seconds. */
function fromText (text: string | undefined): Duration | undefined {
  return text && /^\d+$/.test(text) ? Number(text) : text || undefined
}

function settingsOf ({ access, refresh, routes, throttle: _, ...rest }: FilledOptions, secret: Buffer): Settings {
  const paths = Object.entries(routes).map(([name, given]) => [name, pathOf(name as RouteName, given)])

  return {
    ...rest,
    secret,
    routes: Object.fromEntries(paths),
    access: { expiresInSeconds: inSeconds(access.expiresIn) },
    refresh: {
      expiresInSeconds: inSeconds(refresh.expiresIn),
      maxAgeSeconds: inSeconds(refresh.maxAge),
      windowSeconds: inSeconds(refresh.window),
      replay: refresh.replay,
    },
  }
}
