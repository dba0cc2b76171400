import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { OptionsInvalid } from '../http/errors.ts'
import { guardOf, type Guard } from './guard.ts'
import type { GuardSettings } from './options.ts'
import type { GuardedRoutes } from './routes.ts'

/** Documents that a route of a scope has these guards. */
export type Document = (scope: FastifyInstance, route: RouteOptions, guards: GuardSettings[]) => void

/**
 * Puts a guard on a whole scope: on its routes, their HEADs, its child plugins and its not-found handler, also those
 * that were there before, since Fastify hands a hook down to all of them. A route with `config: { auth: false }` stays
 * open. `document` is called for each route that is added from now on.
 */
export function protectScope (
  scope: FastifyInstance, guard: Guard, { keepFields, mayNeedBody, add }: GuardedRoutes, document: Document
): void {
  if (typeof scope?.addHook !== 'function') {
    throw new OptionsInvalid('app.accounts.protect(scope, options) needs a scope, such as the app, before its options')
  }
  const settings = guardOf(guard)!
  const protect = async (request: FastifyRequest, reply: FastifyReply) => {
    if (!isOpen(request)) await guard(request, reply)
  }

  if (mayNeedBody(settings)) {
    scope.addHook('preValidation', keepFields).addHook('preHandler', protect)
  } else {
    // A plugin for CORS answers preflights in onRequest. One that reaches preHandler was not answered, and needs a
    // token.
    scope.addHook('onRequest', async (request, reply) => { if (!isPreflight(request)) await protect(request, reply) })
    scope.addHook('preHandler', async (request, reply) => { if (isPreflight(request)) await protect(request, reply) })
  }

  scope.addHook('onRoute', function (route) {
    if (route.config?.auth === false) return
    document(this, route, [settings])
    add(route, settings)
  })
}

/** True for a route that is open on purpose, and for a preflight at a route that answers preflights alone. */
function isOpen (request: FastifyRequest): boolean {
  const { config, method, url } = request.routeOptions
  return config.auth === false || (isPreflight(request) && method === 'OPTIONS' && url === `${request.server.prefix}*`)
}

/** A browser sends no token along when it asks whether it may send one. */
function isPreflight ({ method, headers }: FastifyRequest): boolean {
  return method === 'OPTIONS' && 'access-control-request-method' in headers
}
