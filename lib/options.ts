import { randomBytes } from 'node:crypto'
import { Type, type Static } from '@sinclair/typebox'
import { Ajv, type ErrorObject } from 'ajv'
import type { FastifyBaseLogger } from 'fastify'
import { OptionsInvalid } from './errors.ts'
import { weakness } from './tokens/secret.ts'

/** Whole seconds as a number, or a text such as `'30s'`, `'15m'`, `'12h'`, `'30d'`, `'2w'`. */
export type Duration = number | string

/** What a person may sign in with. */
export type Identifier = 'username' | 'email'

/** Turns a route on (`true`), off (`false`), or gives it another path below the prefix. */
export type RouteSwitch = boolean | string

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

const DurationSchema = (fallback: Duration, rule: { zero?: boolean, env?: string } = {}) =>
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
    expiresIn: DurationSchema(fromText(env.JWT_ACCESS_TOKEN_EXPIRES) ?? '15m', { env: 'JWT_ACCESS_TOKEN_EXPIRES' }),
  }, closed),
  refresh: Type.Object({
    expiresIn: DurationSchema(fromText(env.JWT_REFRESH_TOKEN_EXPIRES) ?? '30d', { env: 'JWT_REFRESH_TOKEN_EXPIRES' }),
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
export interface Settings extends Omit<FilledOptions, 'access' | 'refresh' | 'throttle'> {
  secret: Buffer
  access: { expiresInSeconds: number }
  refresh: {
    expiresInSeconds: number
    maxAgeSeconds: number
    windowSeconds: number
    replay: 'until-confirmed' | 'until-superseded'
  }
}

const secondsOf: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 }
const mostSeconds = 10 * 365 * 86400

const ajv = new Ajv({ allErrors: true, useDefaults: true, verbose: true, allowUnionTypes: true })
ajv.addKeyword({ keyword: 'duration', validate: ({ zero }: { zero?: boolean }, value: unknown) => isDuration(value, zero) })
ajv.addKeyword({ keyword: 'file', type: 'string', validate: (_: true, value: string) => !/^[a-z][a-z0-9+]*:\/\/|\0/i.test(value) })

/**
 * Fills the options from the environment and the defaults.
 * @throws {OptionsInvalid} `ACCOUNTS_OPTIONS_INVALID`, naming everything that is wrong at once
 */
export function readOptions (given: AccountsOptions, env: NodeJS.ProcessEnv, log: FastifyBaseLogger): Settings {
  const { secret = env.JWT_SECRET_KEY || undefined, ...rest } = given
  const options = copy(rest) as GivenOptions
  const check = ajv.compile(OptionsSchema(env))
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

/** What may stand where a group of options belongs, before the schema has looked. */
type GivenOptions = { [K in keyof FilledOptions]?: FilledOptions[K] }

/** A deep copy of plain objects, so that filling in defaults never writes into what the caller holds. */
function copy (value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value) || Buffer.isBuffer(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copy(inner)]))
}

/** In the environment everything is text: there, digits alone are seconds. */
function fromText (text: string | undefined): Duration | undefined {
  return text && /^\d+$/.test(text) ? Number(text) : text || undefined
}

function isDuration (value: unknown, zero = false): boolean {
  const seconds = inSeconds(value)
  return Number.isInteger(seconds) && seconds >= (zero ? 0 : 1) && seconds <= mostSeconds
}

function inSeconds (value: unknown): number {
  if (typeof value === 'number') return value
  const [, amount, unit] = /^(\d{1,9})([smhdw])$/.exec(String(value)) ?? []
  return unit === undefined ? NaN : Number(amount) * secondsOf[unit]!
}

/** What no single option can know. Comparisons with what is not a duration are false, so nothing is said twice. */
function contradictions ({ access, refresh, password }: GivenOptions): string[] {
  const [short, idle, absolute] = [access?.expiresIn, refresh?.expiresIn, refresh?.maxAge].map(inSeconds) as [number, number, number]

  return [
    ...short > idle ? ['access.expiresIn must not be longer than refresh.expiresIn'] : [],
    ...idle > absolute ? ['refresh.expiresIn must not be longer than refresh.maxAge'] : [],
    ...password && password.minLength > password.maxLength ? ['password.minLength must not be more than password.maxLength'] : [],
    ...password?.argon2 && password.argon2.memoryCost < 8 * password.argon2.parallelism
      ? ['password.argon2.memoryCost must be at least 8 times password.argon2.parallelism']
      : [],
  ]
}

function secretProblems (secret: unknown, env: NodeJS.ProcessEnv): string[] {
  if (secret === undefined) return env.NODE_ENV === 'production' ? ['secret (or JWT_SECRET_KEY) is required in production'] : []
  return [weakness(secret)].filter((problem) => problem !== undefined)
}

function sentence ({ instancePath, keyword, params, message, parentSchema }: ErrorObject): string {
  const name = instancePath.slice(1).replaceAll('/', '.') || 'options'

  switch (keyword) {
    case 'additionalProperties': return `${instancePath ? `${name}.` : ''}${params.additionalProperty} is not an option`
    case 'duration': return `${name}${parentSchema!.duration.env ? ` (or ${parentSchema!.duration.env})` : ''} must be ` +
      `${parentSchema!.duration.zero ? '0, ' : ''}a duration such as '15m' or whole seconds from 1 to ${mostSeconds}`
    case 'file': return `${name} (or ACCOUNTS_DATABASE_URL) must be a file for SQLite or ':memory:'`
    case 'enum': return `${name} must be one of ${params.allowedValues.join(', ')}`
    case 'const': return `${name} must be ${params.allowedValue}`
    default: return `${name} ${message}`
  }
}

function settingsOf ({ access, refresh, throttle: _, ...rest }: FilledOptions, secret: Buffer): Settings {
  return {
    ...rest,
    secret,
    access: { expiresInSeconds: inSeconds(access.expiresIn) },
    refresh: {
      expiresInSeconds: inSeconds(refresh.expiresIn),
      maxAgeSeconds: inSeconds(refresh.maxAge),
      windowSeconds: inSeconds(refresh.window),
      replay: refresh.replay,
    },
  }
}
