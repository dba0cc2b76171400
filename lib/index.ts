import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Context } from './context.ts'
import type { AccountsOptions } from '../types/options.ts'
import type { Location } from './transport/options.ts'
import { readSettings, type Settings } from './settings.ts'
import type { RouteName } from './http/route-path.ts'
import { claimName, decorate } from './decorators.ts'
import { createCompiling } from './http/compiling.ts'
import { createInput } from './http/input.ts'
import { createQueue } from './features/passwords/queue.ts'
import { createHasher } from './features/passwords/hasher.ts'
import { eachInTime } from './http/deadline.ts'
import { openDatabase } from './database/database.ts'
import { tables } from './entities.ts'
import { createTelemetry } from './events/telemetry.ts'
import { createEvents } from './events/events.ts'
import { createHooks } from './host/hooks.ts'
import type { Hooks } from './sessions/options.ts'
import { createKeyring } from './tokens/keyring.ts'
import { createTokens } from './tokens/tokens.ts'
import { createPolicy } from './features/passwords/policy.ts'
import { createKnownUsers } from './users/known-users.ts'
import { createOwnData } from './sessions/data.ts'
import { openSessions } from './sessions/sessions.ts'
import { createClocks } from './database/clocks.ts'
import { createPruner } from './database/prune.ts'
import { pruneOfEvents } from './events/prune.ts'
import { pruneOfThrottle } from './features/throttle/prune.ts'
import { pruneOfRevocations, pruneOfSessions } from './sessions/prune.ts'
import { createHealth } from './sessions/health.ts'
import { ownFields } from './users/fields.ts'
import { createLookUp } from './users/look-up.ts'
import { createCredentials } from './features/passwords/credentials.ts'
import { createTaken } from './users/taken.ts'
import { createUniqueFields } from './users/unique-fields.ts'
import { createUsers } from './features/users/users.ts'
import { createAdmins } from './features/users/admins.ts'
import { createChanges } from './features/users/changes.ts'
import { createPublicUsers } from './users/public-user.ts'
import { createRows } from './features/throttle/rows.ts'
import { createThrottle } from './features/throttle/throttle.ts'
import { createCookies } from './transport/cookies.ts'
import { createDevices } from './features/throttle/devices.ts'
import { createCsrf } from './transport/csrf.ts'
import { createLocator } from './transport/locate.ts'
import { createAdmission } from './guards/admission.ts'
import { createGuards } from './guards/guard.ts'
import type { GuardOptions } from './guards/guard-options.ts'
import { protectScope } from './guards/protect.ts'
import { createAuthOfRequests } from './guards/request-auth.ts'
import { createAttendance, watchRoutes } from './guards/routes.ts'
import { createWording } from './http/wording.ts'
import { createRevokeToken, createServices } from './features/token-services/services.ts'
import { createUserServices } from './features/users/services.ts'
import { createSessionServices } from './features/sessions/services.ts'
import { ownName } from './http/component.ts'
import { createOpenapi, securityOf } from './openapi/document.ts'
import { prepareScope } from './http/scope.ts'
import { register } from './features/register.ts'
import { login } from './features/passwords/login.ts'
import { refresh } from './features/sessions/refresh.ts'
import { logout } from './features/sessions/logout.ts'
import { reauthenticate } from './features/passwords/reauthenticate.ts'
import { me } from './features/users/me.ts'
import { sessions as sessionsRoutes } from './features/sessions/sessions.ts'
import { users as usersRoutes } from './features/users/admin.ts'
import { password } from './features/passwords/change.ts'
import { jwks } from './features/token-services/jwks.ts'
import { revoke } from './features/token-services/revoke.ts'
import { introspect } from './features/token-services/introspect.ts'

export type * from '../types/index.ts'
/** Every error of the plugin. */
export * as errors from './errors.ts'
export { entities } from './entities.ts'
export { User } from './users/entity.ts'
export { legacy } from './features/passwords/legacy/index.ts'

const routes = { register, login, refresh, logout, reauthenticate, me, sessions: sessionsRoutes, password, users: usersRoutes, jwks, revoke, introspect }

/**
 * User accounts with JSON Web Tokens: the routes register, login, refresh, logout and more, and the guards
 * `app.authenticate` and `app.authenticateRefresh`. Always `await app.register(accounts)`: the guards are there only
 * afterwards.
 * @throws {OptionsInvalid} `ACCOUNTS_OPTIONS_INVALID`, naming everything that is wrong with the options at once
 */
async function accounts (app: FastifyInstance, options: AccountsOptions): Promise<void> {
  const settings = readSettings(options, process.env, app.log, app.prefix)
  claimName(app, settings)
  const attendance = createAttendance(settings, app.log)
  watchRoutes(app, attendance, settings.name)
  const compiling = createCompiling(settings)
  const input = createInput(compiling)

  const queue = createQueue(app.server, settings.password)
  // It tries a hash, in a thread of its own, while the database is opened. If it cannot, that is told where it is awaited.
  const trying = createHasher(settings.password, queue)
  trying.catch(() => {})

  const database = await openDatabase(settings, tables)
  app.addHook('onClose', database.close)

  const keyring = await createKeyring(app, settings.keys, settings.headerFields)
  const telemetry = createTelemetry(settings.name)
  const events = createEvents(database, telemetry, settings, app.log)
  const hooks: Hooks = createHooks(settings.hooks, app.log)
  const tokens = createTokens(keyring, settings, telemetry)
  const hasher = await trying
  const policy = createPolicy(settings, app.log)

  const lookUp = createLookUp(database, settings)
  const knownUsers = createKnownUsers(lookUp, settings, telemetry)
  const sessions = await openSessions({ database, knownUsers, events, telemetry, hooks, log: app.log }, settings)
  app.addHook('onClose', sessions.close)
  const { endings, revocations, revocationLog, signals } = sessions
  const clocks = createClocks(database)
  const pruner = createPruner({ database, clocks, log: app.log }, settings, [
    pruneOfRevocations(settings),
    pruneOfThrottle,
    pruneOfEvents(settings.events.keepForSeconds),
    // Last: a foreign key of the host's that refers to a session holds up nothing else.
    pruneOfSessions,
  ])
  app.addHook('onClose', pruner.close)
  const fields = ownFields(settings)
  const credentials = createCredentials(database, events, hasher, lookUp)
  const uniqueFields = createUniqueFields(database, settings)
  await uniqueFields.fill()
  const taken = createTaken(database, uniqueFields)
  const users = createUsers({ database, events, hasher, policy, lookUp, credentials, fields, taken, uniqueFields, sessions, revocationLog, endings })
  const changes = createChanges({ hasher, policy, lookUp, fields, taken, uniqueFields, revocationLog, endings, admins: createAdmins(database) }, settings)
  const throttle = createThrottle(createRows(database), queue, keyring.throttle, events, telemetry, settings, app.log)

  const cookies = await createCookies(app, settings)
  const devices = createDevices(cookies, keyring.device, settings)
  const csrf = createCsrf(settings, keyring.csrf, telemetry)
  const locator = createLocator(settings, cookies)
  const publicUsers = createPublicUsers(settings)
  const ownData = createOwnData(input, publicUsers, settings)
  const admission = createAdmission(sessions, revocations, publicUsers, settings)
  const wording = createWording(settings, app.log)
  const Auth = createAuthOfRequests(signals, wording, settings)
  const { guard, ownGuard, authenticate, authenticateRefresh } = createGuards({ settings, tokens, locator, csrf, admission, Auth, wording })

  const ownLocations = ownLocationsOf(settings)
  const refreshLocations: Location[] = ['body', ...ownLocations]
  const parts = { settings, hooks, keyring, tokens, sessions, endings, lookUp, credentials, users, changes, throttle, fields, publicUsers, cookies, devices, csrf, ownData, locator, admission, refreshLocations }
  const services = createServices(parts)
  const openapi = createOpenapi(settings)
  const document = Object.values(settings.routes).some(Boolean) ? openapi.documentGuards(app) : () => {}
  decorate(app, settings, {
    ...services,
    ...eachInTime({ issueTokens: services.issueTokens, verify: services.verify, revoke: services.revoke }),
    users: eachInTime(createUserServices({ ...parts, hasher, input })),
    sessions: eachInTime(createSessionServices(sessions, endings, ownData)),
    orm: database.orm,
    guard,
    protect: (scope, options) => protectScope(scope, guard(options), attendance, document),
    authenticate,
    authenticateRefresh,
    prune: pruner.prune,
    check: createHealth(database, clocks, revocationLog, revocations).check,
    counters: telemetry.counters,
  })

  await app.register(async function accountsRoutes (child) {
    const scope = child.withTypeProvider<TypeBoxTypeProvider>()
    const guardOfOurs = (options: GuardOptions = {}) => ownGuard({ ...options, locations: ownLocations })
    const context = {
      ...parts,
      revokeToken: createRevokeToken(parts),
      securityOf: (kind, locations) => securityOf(settings.name, kind, locations, false),
      clientScheme: ownName(settings.name, 'client'),
      guard: guardOfOurs,
      authenticate: guardOfOurs(),
    } satisfies Context
    prepareScope(scope, input, compiling, wording)
    openapi.documentScope(child)
    for (const [name, add] of Object.entries(routes)) {
      const path = settings.routes[name as RouteName]
      if (path) add(scope, context, path)
    }
  }, { prefix: settings.prefix })
}

/** Where our own routes look: guards of ours run before there is a body, and no token of a query is taken unasked. */
function ownLocationsOf ({ locations }: Settings): Location[] {
  const places = locations.filter((place) => place === 'header' || place === 'cookie')
  return places.length > 0 ? places : ['header']
}

/** The plugin: `await app.register(accounts, options)`. */
export default fp(accounts, { name: 'fastify-jwt-accounts', fastify: '5.x' })
