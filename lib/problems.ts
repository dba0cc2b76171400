import { Kind, TransformKind } from '@sinclair/typebox'
import type { ErrorObject } from 'ajv'
import * as errors from './errors.ts'
import { inSeconds, mostSeconds } from './checks/durations.ts'
import { variables } from './checks/environment.ts'
import type { AccountsOptions } from './options.ts'
import type { FilledOptions } from './options-schema.ts'
import { pathOf, type RouteName } from './http/route-path.ts'
import { partsOf, type Part } from './checks/schema-parts.ts'
import type { Key } from './tokens/key.ts'
import { faultOf } from './checks/field-schema.ts'

/** What may stand where options belong, before the schema has looked. */
export type GivenOptions = { [K in keyof FilledOptions]?: FilledOptions[K] }

/** The routes with one method, which cannot share a path. */
const methods: RouteName[][] = [['register', 'login', 'refresh', 'logout', 'reauthenticate', 'revoke', 'introspect'], ['me', 'sessions', 'users', 'jwks']]

/** Fields of bodies and of users that are ours. */
const reservedNames = [
  'id', 'username', 'email', 'emailVerifiedAt', 'roles', 'password', 'passwordHash', 'transport', 'remember', 'disabled',
  'disabledAt', 'createdAt', 'lastLoginAt', 'disabled_at', 'created_at', 'last_login_at',
]

/** What every request has of its own. */
const reservedProperties = ['auth', 'body', 'headers', 'id', 'log', 'params', 'query', 'raw', 'server']

/** Names that make an audience of access tokens that of another kind of token, and what such audiences end in. */
const reservedAudiences = ['refresh', 'ticket']

/** What a header of ours, with a kid of the longest, leaves of the length that we read. */
const mostFieldsBytes = 400

/** Names of header fields that say how a token is to be read (RFC 7515 §4.1, RFC 7516 §4.1, RFC 7797). */
const reservedFields = ['alg', 'typ', 'kid', 'cty', 'crit', 'b64', 'jwk', 'jku', 'x5c', 'x5u', 'x5t', 'x5t#S256', 'enc', 'zip', 'epk', 'apu', 'apv', 'iv', 'tag', 'p2s', 'p2c', '__proto__']

/** What no single option can know. Comparisons with what is not a duration are false, so nothing is said twice. */
export function contradictions ({ access, refresh, revocation, password, routes }: GivenOptions): string[] {
  const [short, idle, absolute] = [access?.expiresIn, refresh?.expiresIn, refresh?.maxAge].map(inSeconds) as [number, number, number]
  const shared = routes ? methods.map((names) => doubled(names, routes)).filter((name) => name !== undefined) : []

  return [
    ...short > idle ? [`${named('access.expiresIn')} must not be longer than ${named('refresh.expiresIn')}`] : [],
    ...idle > absolute ? [`${named('refresh.expiresIn')} must not be longer than refresh.maxAge`] : [],
    ...inSeconds(revocation?.pollInterval) >= inSeconds(revocation?.maxStaleness) ? ['revocation.pollInterval must be shorter than revocation.maxStaleness'] : [],
    ...password && password.minLength > password.maxLength ? ['password.minLength must not be more than password.maxLength'] : [],
    ...password?.argon2 && password.argon2.memoryCost < 8 * password.argon2.parallelism
      ? ['password.argon2.memoryCost must be at least 8 times password.argon2.parallelism']
      : [],
    ...shared.map((name) => `routes.${name} has the path of another route`),
  ]
}

/** What does not fit together in options that the schema has found right one by one. */
export function conflicts ({
  headerFields, messages, transport, locations, introspection: { clients }, header, decoratorName, user, sessions, hooks, name, audience,
}: FilledOptions): string[] {
  const codes = Object.values(errors).map((Refusal) => new (Refusal as new () => { code: string })().code)

  return [
    ...Object.keys(headerFields).filter((name) => reservedFields.includes(name)).map((name) => `headerFields.${name} is reserved`),
    ...Buffer.byteLength(JSON.stringify(headerFields)) > mostFieldsBytes ? [`headerFields must have at most ${mostFieldsBytes} bytes as JSON`] : [],
    ...Object.keys(messages).filter((code) => !codes.includes(code)).map((code) => `messages.${code} is not the code of an error`),
    ...transport !== 'body' && locations && !locations.includes('cookie') ? [`locations must hold cookie with transport ${transport}`] : [],
    ...new Set(clients.map(({ id }) => id)).size < clients.length ? ['introspection.clients must have different ids'] : [],
    ...reservedProperties.includes(decoratorName) ? [`decoratorName must not be ${decoratorName}, which is there already`] : [],
    ...reservedAudiences.includes(name) ? [`name must not be ${name}, which is the audience of other tokens`] : [],
    ...[audience ?? []].flat().filter((party) => reservedAudiences.some((kind) => party.endsWith(`/${kind}`))).map((party) => `audience must not be ${party}: what ends like this is for other tokens`),
    ...Object.entries(user.fields).flatMap(([name, field]) => fieldProblem(name, field) ?? []),
    ...dataProblem(sessions.data as Part | undefined, hooks.onSession),
    ...(user.public ?? []).filter((name) => !Object.hasOwn(user.fields, name)).map((name) => `user.public names ${name}, which is not in user.fields`),
    ...header.scheme === '' && header.name.toLowerCase() === 'authorization' ? ["header.scheme '' needs a header.name of its own"] : [],
  ]
}

function fieldProblem (name: string, field: Part): string | undefined {
  if (!/^[A-Za-z][\w-]{0,63}$/.test(name) || reservedNames.includes(name) || name in Object.prototype) return `user.fields.${name} has a name that is taken or that is none`
  return schemaProblem(`user.fields.${name}`, field)
}

function dataProblem (data: Part | undefined, onSession: unknown): string[] {
  if (!data) return onSession ? ['hooks.onSession needs sessions.data, the schema of what it gives'] : []
  const problem = schemaProblem('sessions.data', data)
  if (problem) return [problem]
  return data.type === 'object' ? [] : ['sessions.data must be the schema of an object']
}

function schemaProblem (name: string, schema: Part): string | undefined {
  if (!(Kind in schema)) return `${name} must be a schema of TypeBox, @sinclair/typebox 0.34 or typebox 1`
  if (holdsCode(schema)) return `${name} must be JSON Schema alone: what it checks or changes by code (Refine, Codec, Transform) would be passed over`
  const fault = faultOf(schema)
  return fault && `${name} ${fault}`
}

function holdsCode (part: Part): boolean {
  return '~refine' in part || '~codec' in part || TransformKind in part || partsOf(part).some(([, inner]) => holdsCode(inner))
}

function doubled (names: RouteName[], routes: NonNullable<GivenOptions['routes']>): string | undefined {
  const paths = names.map((name) => [name, pathOf(name, routes[name])] as const).filter(([, path]) => path)
  return paths.find(([, path], index) => paths.findIndex(([, taken]) => taken === path) < index)?.[0]
}

/** What can be said of the app's own MikroORM before it is asked for: it is no plain value, which the schema would check. */
export function ormProblems ({ orm, db }: AccountsOptions): string[] {
  if (orm === undefined) return []
  return [
    ...['object', 'function'].includes(typeof orm) && orm !== null ? [] : ['orm must be a MikroORM, or a function that gives one'],
    ...db === undefined ? [] : ['orm and db are two ways to one thing: give one of them'],
  ]
}

/** What is wrong with the keys, one by one and together. */
export function keyProblems (keys: (Key | string)[], given: unknown, env: NodeJS.ProcessEnv): string[] {
  if (given === undefined && env.NODE_ENV === 'production') return [`${named('secret')} is required in production`]
  if (keys.length === 0) return ['secret must hold a key']

  const read = keys.filter((key) => typeof key !== 'string')
  const isDoubled = (['kid', 'thumbprint'] as const).some((name) => new Set(read.map((key) => key[name])).size < read.length)
  return [
    ...keys.flatMap((key, index) => typeof key === 'string' ? [`${Array.isArray(given) ? `secret[${index}]` : named('secret')} ${key}`] : []),
    ...isDoubled ? ['secret must hold different keys, with different names (kid)'] : [],
    ...read[0]?.signs === false && read.some(({ signs }) => signs) ? ['secret must begin with a key that signs, since some of the others could'] : [],
  ]
}

/** What the schema has to say of an option, in words that name it. */
export function sentence ({ instancePath, keyword, params, message, parentSchema }: ErrorObject): string {
  const path = instancePath.slice(1).replaceAll('/', '.')
  const name = named(path)

  switch (keyword) {
    case 'additionalProperties': return `${path ? `${path}.` : ''}${params.additionalProperty} is not an option`
    case 'duration': return `${name} must be ${parentSchema!.duration.zero ? '0, ' : ''}a duration such as '15m' or whole seconds from 1 to ${parentSchema!.duration.most ?? mostSeconds}`
    case 'fresh': return `${name} must be true, false or a duration such as '10m'`
    case 'callable': return `${name} must be a function`
    case 'switch': return `${name} must be false, or its options`
    case 'message': return `${name} must be a text or a function`
    case 'origin': return `${name} must be an origin such as 'https://app.example.com'`
    case 'http': return `${name} must be a URL such as 'https://api.pwnedpasswords.com/range/', without a name or a password`
    case 'database': return `${name} must be a file for SQLite, ':memory:', or a URL such as 'postgresql://user:password@host:5432/database' (or mysql:, mariadb:)`
    case 'path': return `${name} must be a path such as '/${path === 'prefix' ? 'auth' : path.replace('routes.', '')}'`
    case 'enum': return `${name} must be one of ${params.allowedValues.join(', ')}`
    default: return `${name} ${message}`
  }
}

/** The option, with the variable that may have brought its value. */
function named (path: string): string {
  const variable = variables[path]
  return variable ? `${path} (or ${variable})` : path
}
