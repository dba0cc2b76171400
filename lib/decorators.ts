import type { FastifyInstance } from 'fastify'
import type { AccountsServices } from '../types/index.ts'
import { OptionsInvalid } from './http/errors.ts'
import { isUnnamed } from './http/options.ts'
import type { Settings } from './settings.ts'

interface Accounts extends Pick<Settings, 'name' | 'issuer' | 'audiences'> {
  scope: FastifyInstance
}

/** The accounts of each server: whatever their scopes, the tokens of one may be sent to the other. */
const served = new WeakMap<object, Accounts[]>()

/**
 * Makes sure that no two accounts of a scope share a name or a decorator, and no two of an app a token.
 * @throws {OptionsInvalid}
 */
export function claimName (app: FastifyInstance, { name, issuer, audiences }: Settings): void {
  const everywhere = served.get(app.server) ?? []
  // A scope inherits the decorators of those that enclose it.
  const seen = everywhere.filter(({ scope }) => scope === app || Object.prototype.isPrototypeOf.call(scope, app))
  const decorators = isUnnamed(name) ? [name, 'authenticate', 'authenticateRefresh'] : [name]
  const present = decorators.find((decorator) => app.hasDecorator(decorator))
  const others = everywhere.filter((other) => other.name !== name && other.issuer === issuer)
  const rival = others.find((other) => other.audiences.some((audience) => audiences.includes(audience)))

  if (seen.some((other) => other.name === name)) {
    throw new OptionsInvalid(`there are accounts named ${name} already: ` +
      'register the plugin once, or give another name for another kind of users')
  }
  if (present) throw new OptionsInvalid(`app.${present} is there already`)
  if (seen.length === 0 && app.hasRequestDecorator('auth')) throw new OptionsInvalid('request.auth is there already')
  if (rival) {
    throw new OptionsInvalid(`${name} and ${rival.name} must not share issuer and audience: ` +
      'a token of one would pass for a token of the other')
  }
  served.set(app.server, [...everywhere, { scope: app, name, issuer, audiences }])
}

/** Decorates the app with the services, and its requests with the properties that guards fill. */
export function decorate (app: FastifyInstance, { name, decoratorName }: Settings, services: AccountsServices): void {
  for (const property of [decoratorName, 'auth']) {
    if (!app.hasRequestDecorator(property)) app.decorateRequest(property, null as never)
  }
  app.decorate(name as 'accounts', services)
  if (!isUnnamed(name)) return
  app.decorate('authenticate', services.authenticate)
  app.decorate('authenticateRefresh', services.authenticateRefresh)
}
