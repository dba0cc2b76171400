import type { FastifyInstance, RouteOptions } from 'fastify'
import { guardOf } from './guard.ts'
import type { GuardSettings } from './options.ts'

/** The hooks that a guard may be. */
export const guardHooks = ['onRequest', 'preValidation', 'preHandler'] as const
export type GuardHook = typeof guardHooks[number]

/** The settings of the guards of a route. */
export function guardsOf (route: RouteOptions): GuardSettings[] {
  return guardHooks.flatMap((name) => writtenOf(route, name)).map(guardOf).filter((guard) => guard !== undefined)
}

/** The hooks of routes as they were written. */
const written = new WeakMap<RouteOptions, Record<GuardHook, unknown[]>>()

/**
 * An `onRoute` hook that has to run before those of others: some wrap the hooks, and a wrapped guard is not recognized.
 */
export function keepWritten (route: RouteOptions): void {
  written.set(route, {
    onRequest: hooksOf(route, 'onRequest'),
    preValidation: hooksOf(route, 'preValidation'),
    preHandler: hooksOf(route, 'preHandler'),
  })
}

/** The hooks of a route as they are and, where others have wrapped them since, as they were written. */
export function writtenOf (route: RouteOptions, name: GuardHook): unknown[] {
  return [...new Set([...written.get(route)?.[name] ?? [], ...hooksOf(route, name)])]
}

/**
 * Adds an `onRoute` hook before all others. Fastify has no method for that, and @fastify/otel asks to be registered
 * first, or registers itself when the app is made.
 */
export function addFirst (app: FastifyInstance, hook: (route: RouteOptions) => void): void {
  app.addHook('onRoute', hook)
  const internals = app as unknown as Record<symbol, { onRoute?: unknown } | null>
  for (const key of Object.getOwnPropertySymbols(app)) {
    const list = internals[key]?.onRoute
    if (Array.isArray(list) && list.at(-1) === hook) list.unshift(list.pop())
  }
}

export function hooksOf (route: RouteOptions, name: GuardHook): unknown[] {
  return [route[name] ?? []].flat()
}

export function nameOf ({ method, url }: RouteOptions): string {
  return `${[method].flat().join(',')} ${url}`
}
