import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { OptionsInvalid } from './errors.ts'
import type { AccountsOptions } from './options.ts'
import { readSettings } from './settings.ts'
import type { RouteName } from './route-path.ts'
import { openDatabase } from './database.ts'
import { createKeyring } from './tokens/keyring.ts'
import { createTokens } from './tokens/tokens.ts'
import { createHasher } from './passwords/hasher.ts'
import { createRevocations } from './sessions/revocations.ts'
import { createSessions } from './sessions/sessions.ts'
import { createUsers } from './users/users.ts'
import { createGuards } from './guards/guard.ts'
import { protectScope } from './guards/protect.ts'
import { watchRoutes } from './guards/routes.ts'
import { documentGuards, documentScope } from './openapi.ts'
import { prepareScope } from './routes/scope.ts'
import { register } from './routes/register.ts'
import { login } from './routes/login.ts'
import { refresh } from './routes/refresh.ts'
import { logout } from './routes/logout.ts'
import { me } from './routes/me.ts'

export type * from '../types/index.ts'
export * as errors from './errors.ts'

const routes = { register, login, refresh, logout, me }

/**
 * User accounts with JSON Web Tokens: the routes register, login, refresh, logout and me, and the guards
 * `app.authenticate` and `app.authenticateRefresh`. Always `await app.register(accounts)`: the guards are there only
 * afterwards.
 * @throws {OptionsInvalid} `ACCOUNTS_OPTIONS_INVALID`, naming everything that is wrong with the options at once
 */
async function accounts (app: FastifyInstance, options: AccountsOptions): Promise<void> {
  if (['accounts', 'authenticate', 'authenticateRefresh'].some((name) => app.hasDecorator(name)) || app.hasRequestDecorator('auth')) {
    throw new OptionsInvalid('app.accounts, app.authenticate, app.authenticateRefresh or request.auth is there already: register the plugin once')
  }
  const settings = readSettings(options, process.env, app.log)
  watchRoutes(app)

  const database = await openDatabase(settings.db)
  app.addHook('onClose', database.close)

  const keyring = await createKeyring(app, settings.secret)
  const tokens = createTokens(keyring, settings)
  const hasher = createHasher(settings.password)

  const revocations = createRevocations(database, settings)
  const sessions = createSessions(database, revocations, settings, app.log)
  const users = createUsers(database, hasher, sessions, settings)
  app.addHook('onClose', sessions.close)

  const { guard, authenticate, authenticateRefresh } = createGuards(tokens, sessions)
  if (!app.hasRequestDecorator('user')) app.decorateRequest('user', null as never)
  app.decorateRequest('auth', null as never)
  app.decorate('authenticate', authenticate)
  app.decorate('authenticateRefresh', authenticateRefresh)
  const document = Object.values(settings.routes).some(Boolean) ? documentGuards(app) : () => {}
  app.decorate('accounts', {
    guard,
    protect: (scope, options) => protectScope(scope, guard(options), document),
  })

  await app.register(async (child) => {
    const scope = child.withTypeProvider<TypeBoxTypeProvider>()
    prepareScope(scope)
    documentScope(child)
    for (const [name, add] of Object.entries(routes)) {
      const path = settings.routes[name as RouteName]
      if (path) add(scope, { settings, tokens, sessions, users, authenticate }, path)
    }
  }, { prefix: settings.prefix })
}

export default fp(accounts, { name: 'fastify-jwt-accounts', fastify: '5.x' })
