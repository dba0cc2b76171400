import { Type, type Static, type TSchema } from '@sinclair/typebox'
import type { Duration } from './checks/durations.ts'
import type { AccountsOptions, ErrorCode } from './options.ts'
import type { PasswordHasher, PasswordVerifier, PepperSecret } from './features/passwords/options.ts'
import type { RouteSwitch } from './http/route-path.ts'
import { algorithms, type Algorithm } from './tokens/key.ts'
import type { Location } from './transport/options.ts'
import type { TypeBox1Schema } from './checks/typebox-1.ts'
import type { Identifier } from './users/options.ts'
import type { Messages } from './http/wording.ts'

const DurationSchema = (fallback: Duration, rule: { zero?: boolean, most?: number } = {}) =>
  Type.Unsafe<Duration>({ duration: rule, default: fallback })

const LengthSchema = (fallback: number, minimum: number, maximum: number) =>
  Type.Integer({ default: fallback, minimum, maximum })

const OneOf = <Value>(values: readonly Value[], fallback?: Value) =>
  Type.Unsafe<Value>({ enum: values, ...fallback === undefined ? {} : { default: fallback } })

/** A function of the host's. */
const Callback = <Name extends 'claims' | 'verifyClaims' | 'isRevoked'>() =>
  Type.Optional(Type.Unsafe<NonNullable<AccountsOptions[Name]>>({ callable: true }))

const Hook = <Name extends keyof NonNullable<AccountsOptions['hooks']>>() =>
  Type.Optional(Type.Unsafe<NonNullable<NonNullable<AccountsOptions['hooks']>[Name]>>({ callable: true }))

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

/** A group of options that can be switched off. */
const FalseOr = <Group extends TSchema>(group: Group) =>
  Type.Unsafe<Static<Group> | false>({ ...group, type: ['object', 'boolean'], switch: true })

const mostFailures = 1_000_000

const PartySchema = { minLength: 1, maxLength: 255 }

/** Checks and fills the options: the defaults stand here and nowhere else. */
export const OptionsSchema = Type.Object({
  algorithm: Type.Optional(OneOf<Algorithm>(algorithms)),
  db: Type.String({ minLength: 1, database: true, default: 'accounts.sqlite' }),
  schema: OneOf(['migrate', 'none'] as const, 'migrate'),
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
  sessions: Type.Object({
    max: LengthSchema(50, 1, 1000),
    whenFull: OneOf(['end-oldest', 'refuse'] as const, 'end-oldest'),
    data: Type.Optional(Type.Unsafe<TSchema | TypeBox1Schema>({ type: 'object' })),
  }, closed),
  revocation: Type.Object({
    pollInterval: DurationSchema('1s', { most: 60 }),
    maxStaleness: DurationSchema('5s', { most: 300 }),
    wake: Type.Optional(Type.Unsafe<NonNullable<NonNullable<AccountsOptions['revocation']>['wake']>>({ callable: true })),
  }, closed),
  issuer: Type.String({ ...PartySchema, default: 'fastify-jwt-accounts' }),
  audience: Type.Optional(Type.Unsafe<string | string[]>({
    type: ['string', 'array'], ...PartySchema, minItems: 1, uniqueItems: true, items: { type: 'string', ...PartySchema },
  })),
  leeway: DurationSchema(0, { zero: true, most: 300 }),
  claims: Callback<'claims'>(),
  verifyClaims: Callback<'verifyClaims'>(),
  isRevoked: Callback<'isRevoked'>(),
  hooks: Type.Object({
    onRegister: Hook<'onRegister'>(),
    onRegistered: Hook<'onRegistered'>(),
    onSession: Hook<'onSession'>(),
    onLogin: Hook<'onLogin'>(),
    onLoginFailed: Hook<'onLoginFailed'>(),
    onRefresh: Hook<'onRefresh'>(),
    onLogout: Hook<'onLogout'>(),
    onReuse: Hook<'onReuse'>(),
    onPasswordChanged: Hook<'onPasswordChanged'>(),
  }, closed),
  headerFields: Type.Record(Type.String(), Type.Unsafe<string | number | boolean>({ type: ['string', 'number', 'boolean'] }), { default: {} }),
  transport: OneOf(['body', 'cookie', 'both'] as const, 'body'),
  cookies: Type.Object({
    access: CookieSchema,
    refresh: CookieSchema,
    csrf: CookieSchema,
    device: CookieSchema,
    domain: Type.Optional(Type.String({ pattern: `^\\.?${label}(\\.${label})*$`, maxLength: 253 })),
    sameSite: OneOf(['strict', 'lax', 'none'] as const, 'lax'),
    secure: Type.Boolean({ default: true }),
    partitioned: Type.Boolean({ default: false }),
    persistent: Type.Boolean({ default: true }),
  }, closed),
  csrf: Type.Object({
    header: Type.String({ pattern: token, default: 'x-csrf-token' }),
    trustedOrigins: Type.Array(Type.String({ origin: true }), { default: [] }),
    methods: Type.Optional(Type.Array(Type.String({ pattern: '^[A-Z-]+$' }), { minItems: 1 })),
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
    fields: Type.Record(Type.String(), Type.Unsafe<TSchema | TypeBox1Schema>({ type: 'object' }), { default: {} }),
    public: Type.Optional(Type.Array(Type.String(), { uniqueItems: true })),
  }, closed),
  password: Type.Object({
    minLength: LengthSchema(15, 8, 256),
    maxLength: LengthSchema(256, 64, 1024),
    blocklist: Type.Boolean({ default: true }),
    contextWords: Type.Array(Type.String({ minLength: 3, maxLength: 64 }), { default: [] }),
    check: Type.Optional(Type.Unsafe<NonNullable<NonNullable<AccountsOptions['password']>['check']>>({ callable: true })),
    breached: Type.Optional(Type.Object({
      url: Type.String({ http: true, default: 'https://api.pwnedpasswords.com/range/' }),
      timeout: DurationSchema('2s', { most: 60 }),
      whenUnreachable: OneOf(['accept', 'refuse'] as const, 'accept'),
      minCount: LengthSchema(1, 1, Number.MAX_SAFE_INTEGER),
    }, { additionalProperties: false })),
    argon2: Type.Object({
      memoryCost: LengthSchema(19456, 1024, 4194304),
      timeCost: LengthSchema(2, 1, 1000),
      parallelism: LengthSchema(1, 1, 128),
    }, closed),
    concurrency: Type.Optional(Type.Integer({ minimum: 1 })),
    waiting: LengthSchema(100, 0, 10000),
    hasher: Type.Optional(Type.Unsafe<PasswordHasher>({})),
    legacy: Type.Unsafe<PasswordVerifier[]>({ default: [] }),
    pepper: Type.Optional(Type.Unsafe<PepperSecret | PepperSecret[]>({})),
  }, closed),
  routes: Type.Object({
    register: RouteSchema(),
    login: RouteSchema(),
    refresh: RouteSchema(),
    logout: RouteSchema(),
    reauthenticate: RouteSchema(),
    me: RouteSchema(),
    sessions: RouteSchema(),
    password: RouteSchema(),
    users: RouteSchema(false),
    jwks: RouteSchema(),
    revoke: RouteSchema(false),
    introspect: RouteSchema(),
  }, closed),
  introspection: Type.Object({
    clients: Type.Array(Type.Object({
      id: Type.String({ minLength: 1, maxLength: 255 }), secret: Type.String({ minLength: 32, maxLength: 255 }),
    }, { additionalProperties: false }), { default: [] }),
  }, closed),
  messages: Type.Unsafe<Messages<ErrorCode>>({ type: 'object', additionalProperties: { message: true }, default: {} }),
  realm: Type.Optional(Type.String({ pattern: '^[ !#-[\\]-~]{1,100}$' })),
  prune: Type.Object({
    interval: DurationSchema('1h', { zero: true, most: 7 * 86400 }),
  }, closed),
  events: Type.Object({
    store: Type.Boolean({ default: false }),
    keepFor: DurationSchema('90d'),
  }, closed),
  throttle: FalseOr(Type.Object({
    accountNetwork: LengthSchema(5, 1, mostFailures),
    network: LengthSchema(50, 1, mostFailures),
    account: LengthSchema(100, 1, mostFailures),
  }, closed)),
}, { additionalProperties: false })

/** The options as the schema leaves them. */
export type FilledOptions = Static<typeof OptionsSchema>

/** Places to look for a token, each once. */
export function LocationsSchema () {
  return Type.Array(OneOf<Location>(['header', 'cookie', 'body', 'query', 'protocol']), { minItems: 1, uniqueItems: true })
}
