import type { FastifyInstance, RouteOptions } from 'fastify'
import { guardOf } from './guard.ts'
import type { GuardSettings } from './options.ts'

/** Where a guard may stand. */
export const guardHooks = ['onRequest', 'preValidation', 'preHandler'] as const
export type GuardHook = typeof guardHooks[number]

/** The settings of the guards of a route. */
export function guardsOf (route: RouteOptions): GuardSettings[] {
  return guardHooks.flatMap((name) => writtenOf(route, name)).map(guardOf).filter((guard) => guard !== undefined)
}

/** The hooks of routes as they were written. */
const written = new WeakMap<RouteOptions, Record<GuardHook, unknown[]>>()

/** An `onRoute` hook that comes before those of others: some of them wrap hooks, and nobody knows a guard again then. */
export function keepWritten (route: RouteOptions): void {
  const [onRequest, preValidation, preHandler] = guardHooks.map((name) => hooksOf(route, name)) as [unknown[], unknown[], unknown[]]
  written.set(route, { onRequest, preValidation, preHandler })
}

/** The hooks of a route as they are and, where others have wrapped them since, as they were written. */
export function writtenOf (route: RouteOptions, name: GuardHook): unknown[] {
  return [...new Set([...written.get(route)?.[name] ?? [], ...hooksOf(route, name)])]
}

/**
 * Adds an `onRoute` hook before all that are there, for which Fastify has no call: @fastify/otel asks to be registered
 * first, or is there as soon as the app is made.
 */
export function addFirst (app: FastifyInstance, hook: (route: RouteOptions) => void): void {
  app.addHook('onRoute', hook)
  const lists = Object.getOwnPropertySymbols(app).map((key) => (app as unknown as Record<symbol, { onRoute?: unknown } | null>)[key]?.onRoute)
  for (const list of lists) if (Array.isArray(list) && list.at(-1) === hook) list.unshift(list.pop())
}

export function hooksOf (route: RouteOptions, name: GuardHook): unknown[] {
  return [route[name] ?? []].flat()
}

export function nameOf ({ method, url }: RouteOptions): string {
  return `${[method].flat().join(',')} ${url}`
}
