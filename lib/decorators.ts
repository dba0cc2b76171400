import type { FastifyInstance } from 'fastify'
import type { AccountsServices } from '../types/index.ts'
import { OptionsInvalid } from './errors.ts'
import type { Settings } from './settings.ts'

/** The accounts that a scope can see, on the scope itself: child scopes inherit what stands there. */
const seen = Symbol('accounts.seen')
type Accounts = Pick<Settings, 'name' | 'issuer' | 'audiences'>
type Scope = FastifyInstance & { [seen]?: Accounts[] }

/** All accounts below one server, since their tokens meet there, whatever the scope. */
const served = new WeakMap<object, Accounts[]>()

/**
 * Makes sure that no two accounts of a scope share a name or a decorator, and no two of an app a token.
 * @throws {OptionsInvalid}
 */
export function claimName (app: Scope, { name, issuer, audiences }: Settings): void {
  const others = app[seen] ?? []
  const decorators = name === 'accounts' ? [name, 'authenticate', 'authenticateRefresh'] : [name]
  const present = decorators.find((decorator) => app.hasDecorator(decorator))
  const everywhere = served.get(app.server) ?? []
  const rival = everywhere.find((other) => other.name !== name && other.issuer === issuer && other.audiences.some((audience) => audiences.includes(audience)))

  if (others.some((other) => other.name === name)) {
    throw new OptionsInvalid(`there are accounts named ${name} already: register the plugin once, or give another name for another kind of users`)
  }
  if (present) throw new OptionsInvalid(`app.${present} is there already`)
  if (others.length === 0 && app.hasRequestDecorator('auth')) throw new OptionsInvalid('request.auth is there already')
  if (rival) throw new OptionsInvalid(`${name} and ${rival.name} must not share issuer and audience: a token of one would pass for a token of the other`)
  Object.defineProperty(app, seen, { value: [...others, { name, issuer, audiences }], configurable: true })
  served.set(app.server, [...everywhere, { name, issuer, audiences }])
}

/** Hangs the services on the app, and a place for the user on its requests. */
export function decorate (app: FastifyInstance, { name, decoratorName }: Settings, services: AccountsServices): void {
  for (const property of [decoratorName, 'auth']) {
    if (!app.hasRequestDecorator(property)) app.decorateRequest(property, null as never)
  }
  app.decorate(name as 'accounts', services)
  if (name !== 'accounts') return
  app.decorate('authenticate', services.authenticate)
  app.decorate('authenticateRefresh', services.authenticateRefresh)
}
