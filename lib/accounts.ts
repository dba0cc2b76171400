import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import type { Counters } from '../types/index.ts'
import type { AccountsOptions } from '../types/options.ts'
import { createClocks } from './database/clocks.ts'
import { openDatabase } from './database/database.ts'
import { createPruner } from './database/prune.ts'
import { claimName, decorate } from './decorators.ts'
import { tables } from './entities.ts'
import { createChain } from './events/chain.ts'
import { createReadData, type DataSchemas } from './events/data.ts'
import { createEvents, createTelemetry } from './events/events.ts'
import { features } from './features.ts'
import type { Spine } from './features/spine.ts'
import type { GuardOptions } from './guards/guard-options.ts'
import { createGuards } from './guards/guards.ts'
import { protectScope } from './guards/protect.ts'
import { createRanks } from './guards/ranks.ts'
import { createGuardedRoutes, watchRoutes } from './guards/routes.ts'
import { createHooks } from './host/hooks.ts'
import { createCompiling } from './http/compiling.ts'
import { createInput } from './http/input.ts'
import { prepareScope } from './http/scope.ts'
import { createWording } from './http/wording.ts'
import { openFeatures } from './features/opening.ts'
import { createOpenapi } from './openapi/document.ts'
import { createOwnData } from './sessions/data.ts'
import { createHealth } from './sessions/health.ts'
import { mailData } from './mail/events.ts'
import { prunesOfMail } from './mail/prune.ts'
import { pruneOfSpent } from './one-time/prune.ts'
import type { Hooks } from './sessions/options.ts'
import { pruneOfRevocations, pruneOfSessions } from './sessions/prune.ts'
import { sessionCounters, sessionData } from './sessions/events.ts'
import { openSessions } from './sessions/sessions.ts'
import { readSettings } from './settings.ts'
import { createSignIn } from './sign-in/sign-in.ts'
import { createKeyring } from './tokens/keyring.ts'
import { tokenCounters } from './tokens/events.ts'
import { createTokens } from './tokens/tokens.ts'
import { createTokenTransport } from './transport/transport.ts'
import { userCounters } from './users/events.ts'
import { openUsers } from './users/users.ts'

/** What is counted, in the order of who counts it. */
const counters: Counters = Object.assign(
  {},
  tokenCounters,
  userCounters,
  sessionCounters,
  ...features.map((card) => card.counters)
)

/** What events tell beside their columns. */
const eventData: DataSchemas = Object.assign({}, sessionData, mailData, ...features.map((card) => card.eventData))

/**
 * User accounts with JSON Web Tokens: the routes register, login, refresh, logout and more, and the guards
 * `app.authenticate` and `app.authenticateRefresh`. Always `await app.register(accounts)`: the guards are there only
 * afterwards.
 * @throws {OptionsInvalid} `ACCOUNTS_OPTIONS_INVALID`, naming everything that is wrong with the options at once
 */
export async function accounts (app: FastifyInstance, options: AccountsOptions): Promise<void> {
  const { log, server } = app
  const settings = readSettings(options, process.env, log, app.prefix)
  claimName(app, settings)
  const guardedRoutes = createGuardedRoutes(settings, log)
  watchRoutes(app, guardedRoutes, settings.name)

  const compiling = createCompiling(settings)
  const input = createInput(compiling)
  const wording = createWording(settings, log)
  const hooks: Hooks = createHooks(settings.hooks, log)
  const telemetry = createTelemetry(settings.name, counters)
  const database = await openDatabase(settings, tables)
  app.addHook('onClose', database.close)
  const keyring = await createKeyring(app, settings.keys, settings.headerFields)
  // What a random key has sealed nobody could check any more.
  const chain = createChain(settings.hasOwnSecret ? keyring.derived('audit') : [])
  const readData = createReadData(eventData, input, log)
  const events = createEvents({ database, telemetry, readData, chain, log }, settings)
  const tokens = createTokens(keyring, settings, telemetry)
  const users = await openUsers({ database, telemetry }, settings)
  const path = `${app.prefix.replace(/\/+$/, '')}${settings.prefix}`
  const mail = settings.mail && await import('./mail/mail.ts').then(({ openMail }) =>
    openMail(app, { database, keyring, events, users }, settings.mail!, path))
  const sessions = await openSessions(
    { database, knownUsers: users.known, events, telemetry, hooks, log, tellOfTheft: mail?.tellOfTheft }, settings)
  app.addHook('onClose', sessions.close)
  const ownData = createOwnData(input, users.publicUsers, settings)
  const transport = await createTokenTransport(app, { keyring, telemetry }, settings)
  const guards = createGuards({ tokens, sessions, users, transport, wording }, settings)
  const ranks = createRanks(database, users)
  const signIn = createSignIn({ database, mail, tokens, users, sessions, transport, ownData }, settings)
  const openapi = createOpenapi(settings)

  const made = {
    database, chain, events, keyring, tokens, users, mail, sessions, ownData, transport, guards, ranks, signIn, openapi,
  }
  const spine: Spine = { settings, log, server, input, hooks, telemetry, ...made }
  const { services, routes, fixed, atRoot, prunes, readies, closes } = await openFeatures(features, spine, settings)

  for (const ready of readies) app.addHook('onReady', ready)
  for (const close of closes) app.addHook('onClose', close)

  if (settings.mail?.worker) app.addHook('onReady', async () => mail!.worker.start())

  const clocks = createClocks(database)
  const pruner = createPruner({ database, clocks, log }, settings, [
    pruneOfRevocations(settings),
    ...prunes,
    ...mail ? prunesOfMail : [],
    pruneOfSpent,
    // Last: a foreign key of the host's that refers to a session holds up nothing else.
    pruneOfSessions,
  ])
  app.addHook('onClose', pruner.close)

  const { guard, authenticate, authenticateRefresh } = guards
  const document = Object.keys(settings.routes).length > 0 ? openapi.documentGuards(app) : () => {}
  const provided = {
    ...services,
    orm: database.orm,
    guard,
    protect: (scope: FastifyInstance<any, any, any, any, any>, options?: GuardOptions) =>
      protectScope(scope, guard(options), guardedRoutes, document),
    authenticate,
    authenticateRefresh,
    prune: pruner.prune,
    check: createHealth(database, clocks, sessions.revocationLog, sessions.revocations, mail?.outbox.count).check,
    counters: telemetry.counters,
  }
  decorate(app, settings, provided)
  mail?.keepFor(provided)

  for (const add of atRoot) add(app)
  await app.register(async function accountsRoutes (child) {
    const scope = child.withTypeProvider<TypeBoxTypeProvider>()
    prepareScope(scope, input, compiling, wording)
    openapi.documentScope(child)
    for (const [name, path] of Object.entries(settings.routes)) routes[name]!(scope, path)
    for (const add of fixed) add(scope)
  }, { prefix: settings.prefix })
}
