import diagnostics from 'node:diagnostics_channel'
import { getCallSites } from 'node:util'
import type { FastifyInstance, RouteOptions } from 'fastify'
import { guardHooks, guardsOf, nameOf, type GuardHook } from './route-hooks.ts'

/**
 * `preHandler: app.authenticate`, written before an un-awaited `register` has decorated the app, is `preHandler:
 * undefined`: Fastify takes it and serves the route to everybody. Such a route is added before the plugin runs, so
 * every app is watched from its making, and the plugin refuses to start in one that has such a route.
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

/** What is wrong with the routes of an app, or of one above, that were added before its accounts: by URL. */
export function openRoutesOf (app: object): Map<string, string> {
  for (let scope = app; scope; scope = Object.getPrototypeOf(scope)) {
    const found = openRoutes.get(scope)
    if (found) return found
  }
  return new Map()
}

/** A hook that the route names and does not have. */
export function undefinedHook (route: RouteOptions): GuardHook | undefined {
  return guardHooks.find((hook) => Object.hasOwn(route, hook) && route[hook] === undefined)
}

/**
 * Whether a route with an undefined hook is one that somebody left open by mistake. `isEarly`, while there are no guards
 * yet, that may be a forgotten `await` wherever the route was written. Later a route of the app's own may have a guard
 * that is misspelt; packages write such hooks where they are given none, as @fastify/http-proxy does.
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
 * Whether the call that adds the route, the first below those of Fastify, stands in a file that is of no package. Nothing
 * tells one from the other where all is one bundle, or where nobody is below: then it counts as the app's, which is safe.
 */
function isWrittenByApp (): boolean {
  const files = getCallSites(200, { sourceMap: false }).map(({ scriptName }) => scriptName).filter((file) => file !== '' && !file.startsWith('node:'))
  const caller = files.find((file, index) => !isOfFastify(file) && files.slice(0, index).some(isOfFastify))
  return caller === undefined || !/[\\/]node_modules[\\/]/.test(caller)
}
