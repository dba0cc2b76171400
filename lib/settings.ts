import { randomBytes } from 'node:crypto'
import { Kind } from '@sinclair/typebox'
import type { FastifyBaseLogger } from 'fastify'
import { cookieProblems, cookieSettings } from './transport/cookie-names.ts'
import type { DatabaseSettings, PruneSettings } from './database/options.ts'
import { inSeconds } from './checks/durations.ts'
import { withEnvironment } from './checks/environment.ts'
import { OptionsInvalid } from './http/errors.ts'
import type { EventSettings } from './events/events.ts'
import type { AuthenticationSettings } from './guards/options.ts'
import type { HookSettings } from './host/hooks.ts'
import type { DocumentSettings } from './openapi/document.ts'
import { faultsIn, filled } from './checks/faults.ts'
import { OptionsSchema, type FilledOptions } from './options-schema.ts'
import type { AccountsOptions } from './options.ts'
import { passwordProblems, usualConcurrency, type PasswordSettings } from './features/passwords/options.ts'
import { readPepper } from './features/passwords/pepper.ts'
import { isPlainObject } from './checks/plain-object.ts'
import { conflicts, contradictions, keyProblems, ormProblems, sentence, type GivenOptions } from './problems.ts'
import { pathOf, type RouteName } from './http/route-path.ts'
import type { SessionSettings } from './sessions/options.ts'
import type { SignInSettings } from './sign-in/options.ts'
import type { ThrottleSettings } from './features/throttle/options.ts'
import type { Key } from './tokens/key.ts'
import type { TokenSettings } from './tokens/options.ts'
import { readKey } from './tokens/read-key.ts'
import type { CookieSettings, TransportSettings } from './transport/options.ts'
import { fromTypeBox1, isTypeBox1 } from './checks/typebox-1.ts'
import type { UserSettings } from './users/options.ts'
import type { WordingSettings } from './http/wording.ts'

/** The options, checked and filled, with every duration in seconds: what each folder reads of them, put together. */
export interface Settings extends
  Pick<FilledOptions, 'prefix' | 'introspection'>,
  WordingSettings, HookSettings, DatabaseSettings, PruneSettings, EventSettings, TokenSettings, UserSettings, SessionSettings,
  TransportSettings, AuthenticationSettings, DocumentSettings, SignInSettings, PasswordSettings, ThrottleSettings {
  /** Where each route is below the prefix. What is off is not there. */
  routes: Partial<Record<RouteName, string>>
  schema: 'migrate' | 'none'
  // Groups of which several folders read parts.
  refresh: SessionSettings['refresh']
  header: TransportSettings['header']
  password: PasswordSettings['password']
  events: EventSettings['events'] & PruneSettings['events']
  hooks: FilledOptions['hooks']
}

/** Options that are no plain data, and stay what they are. */
const untouched = ['password.hasher', 'password.legacy', 'password.pepper']

/** Routes that hand out tokens: without a key that signs there are none. */
const issuing: RouteName[] = ['register', 'login', 'refresh', 'reauthenticate', 'password']

/**
 * Fills the options from the environment and the defaults. `scope` is the path of the app's own that the routes are
 * below, for the paths of cookies.
 * @throws {OptionsInvalid} `ACCOUNTS_OPTIONS_INVALID`, naming everything that is wrong at once
 */
export function readSettings (given: AccountsOptions, env: NodeJS.ProcessEnv, log: FastifyBaseLogger, scope = ''): Settings {
  const { secret, orm, ...rest } = withEnvironment(given, env)
  const plain = copy(rest)
  const faults = faultsIn(OptionsSchema, plain)
  const options = filled(OptionsSchema, plain) as GivenOptions
  const keys = [secret === undefined ? randomBytes(64) : secret].flat().map((key, index) => readKey(key, index === 0 ? options.algorithm : undefined))
  const problems = [
    ...faults.length > 0 ? faults.map(sentence) : [...conflicts(options as FilledOptions), ...cookieProblems(cookiesOf(options as FilledOptions, scope))],
    ...contradictions(options),
    ...passwordProblems(given.password, env),
    ...ormProblems(given),
    ...keyProblems(keys, secret, env),
  ]
  if (problems.length > 0) throw new OptionsInvalid(problems.join('; '))

  if (secret === undefined) {
    log.warn('fastify-jwt-accounts has no secret: a random one signs until this process ends, which logs everybody out. Set JWT_SECRET_KEY.')
  }
  const settings = settingsOf(options as FilledOptions, keys as Key[], scope, env)
  if (!settings.keys[0]!.signs) {
    log.info(`fastify-jwt-accounts has public keys only: tokens are verified and none issued, so there is no ${issuing.join(', ')}`)
  }
  return orm ? { ...settings, orm } : settings
}

function cookiesOf ({ cookies, name, prefix }: FilledOptions, scope: string): CookieSettings {
  // A browser knows no parameters, so a path ends before the first.
  const path = `${scope.replace(/\/+$/, '')}${prefix}`.replace(/\/[^/]*[:*].*$/, '')
  return cookieSettings(cookies, name, path)
}

/**
 * A deep copy of plain objects, so that filling in defaults never writes into what the caller holds. Other objects, a
 * Map or a Date, are no groups of options: as null they are refused.
 */
function copy (value: unknown, path = ''): unknown {
  // A schema stays what it is: TypeBox marks its own by symbols, which a copy would lose.
  if (value === null || typeof value !== 'object' || Kind in value || untouched.includes(path)) return value
  if (isTypeBox1(value)) return fromTypeBox1(value)
  if (Array.isArray(value)) return value.map((inner) => copy(inner))
  if (!isPlainObject(value)) return null
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copy(inner, path ? `${path}.${key}` : key)]))
}

function settingsOf (options: FilledOptions, keys: Key[], scope: string, env: NodeJS.ProcessEnv): Settings {
  const { access, refresh, routes, algorithm: _, leeway, revocation, prune, events, password, ...rest } = options
  const { name, transport, audience = audienceOf(name), locations = transport === 'body' ? ['header'] : ['header', 'cookie'], realm = name } = rest
  const csrf = { ...rest.csrf, header: rest.csrf.header.toLowerCase() }
  const header = { ...rest.header, name: rest.header.name.toLowerCase() }
  const { pepper = [], concurrency = usualConcurrency(env), breached, ...hashing } = password

  return {
    ...rest,
    csrf,
    header,
    keys,
    routes: routesOf(options, keys),
    access: { expiresInSeconds: inSeconds(access.expiresIn) },
    refresh: {
      expiresInSeconds: inSeconds(refresh.expiresIn),
      maxAgeSeconds: inSeconds(refresh.maxAge),
      windowSeconds: inSeconds(refresh.window),
      replay: refresh.replay,
    },
    revocation: {
      pollIntervalSeconds: inSeconds(revocation.pollInterval),
      maxStalenessSeconds: inSeconds(revocation.maxStaleness),
      wake: revocation.wake,
    },
    prune: { intervalSeconds: inSeconds(prune.interval) },
    events: { store: events.store, keepForSeconds: inSeconds(events.keepFor) },
    password: {
      ...hashing,
      concurrency,
      peppers: [pepper].flat().map(readPepper),
      ...breached && { breached: { ...breached, timeoutSeconds: inSeconds(breached.timeout) } },
    },
    audiences: [audience].flat(),
    leewaySeconds: inSeconds(leeway),
    cookies: cookiesOf(options, scope),
    locations,
    realm,
    user: rest.user as Settings['user'],
    sessions: rest.sessions as Settings['sessions'],
  }
}

/** Accounts of another name are another audience, so that a token of one kind of users never opens the other's doors. */
function audienceOf (name: string): string {
  return name === 'accounts' ? 'fastify-jwt-accounts' : `fastify-jwt-accounts/${name}`
}

function routesOf ({ routes, introspection }: FilledOptions, keys: Key[]): Settings['routes'] {
  const isPointless = (name: string) => (name === 'jwks' && keys.every(({ jwk }) => !jwk)) ||
    (name === 'introspect' && introspection.clients.length === 0) ||
    (issuing.includes(name as RouteName) && !keys[0]!.signs)
  return Object.fromEntries(Object.entries(routes)
    .filter(([name]) => !isPointless(name))
    .map(([name, given]) => [name, pathOf(name as RouteName, given)]))
}
