import diagnostics from 'node:diagnostics_channel'
import { getCallSites } from 'node:util'
import type { FastifyInstance, RouteOptions } from 'fastify'
import { guardHooks, guardsOf, nameOf, type GuardHook } from './route-hooks.ts'

/**
 * The routes with an undefined hook, by their app. `preHandler: app.authenticate`, written before an un-awaited
 * `register` has decorated the app, is `preHandler: undefined`: Fastify takes it and serves the route to everybody.
 * Such a route is added before the plugin runs, so every app is watched from its making, and the plugin refuses to
 * start in one that has such a route.
 */
const openRoutes = new WeakMap<object, Map<string, string>>()

diagnostics.subscribe('fastify.initialization', (message) => {
  const { fastify: app } = message as { fastify: FastifyInstance }
  const found = new Map<string, string>()
  openRoutes.set(app, found)
  app.addHook('onRoute', (route) => {
    const hook = undefinedHook(route)
    if (hook && !found.has(route.url) && isRefused(route, true)) found.set(route.url, openBy(route, hook))
  })
})

/** The errors about routes that were added before the accounts of an app, or of one that encloses it, by URL. */
export function openRoutesOf (app: object): Map<string, string> {
  for (let scope = app; scope; scope = Object.getPrototypeOf(scope)) {
    const found = openRoutes.get(scope)
    if (found) return found
  }
  return new Map()
}

/** The hook that the route has as `undefined`. */
export function undefinedHook (route: RouteOptions): GuardHook | undefined {
  return guardHooks.find((hook) => Object.hasOwn(route, hook) && route[hook] === undefined)
}

/**
 * True for a route with an undefined hook that somebody may have left open by mistake. `isEarly` says that there are no
 * guards yet: then it may be a forgotten `await`, wherever the route was written. Later only a route of the app's own
 * may have a guard that is misspelt: packages write undefined hooks where they are given none, as @fastify/http-proxy
 * does.
 */
export function isRefused (route: RouteOptions, isEarly: boolean): boolean {
  return (isEarly && guardsOf(route).length === 0) || isWrittenByApp()
}

export function openBy (route: RouteOptions, hook: GuardHook): string {
  return `${nameOf(route)} has ${hook}: undefined, which would leave it open to everybody. ` +
    'Write "await app.register(accounts)" before it, and look at how the guard is spelt. ' +
    'Where none is meant, leave the hook out, or make it a function that does nothing'
}

const isOfFastify = (file: string) => /[\\/]node_modules[\\/](fastify|avvio)[\\/]/.test(file)

/**
 * True where the call that adds the route, the first below Fastify's on the stack, is in a file of no package. In a
 * bundle, and where there is no such call, that cannot be known: then the route counts as the app's, which is safe.
 */
function isWrittenByApp (): boolean {
  const files = getCallSites(200, { sourceMap: false })
    .map(({ scriptName }) => scriptName)
    .filter((file) => file !== '' && !file.startsWith('node:'))
  const caller = files.find((file, index) => !isOfFastify(file) && files.slice(0, index).some(isOfFastify))
  return caller === undefined || !/[\\/]node_modules[\\/]/.test(caller)
}
