import diagnostics from 'node:diagnostics_channel'
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { OptionsInvalid } from '../errors.ts'
import { isOurs } from '../our-error.ts'
import type { Settings } from '../settings.ts'
import { guardOf, isGuardFactory } from './guard.ts'
import { createKeeper } from './locate.ts'
import { hideTokens } from './log.ts'
import type { GuardSettings } from './options.ts'

const guardHooks = ['onRequest', 'preValidation', 'preHandler'] as const

/** What stands beside a guard, on a route or on a scope. */
export interface Attendance {
  /** Keeps fields of a request that a validator may strip. */
  keepFields: (request: FastifyRequest) => Promise<void>
  /** True for a guard that may find in a body what it looks for, a token or a value against CSRF. */
  mayNeedBody: (guard: GuardSettings) => boolean
  /** Hides tokens of the query from the log, and warns of a cookie that never arrives. */
  attend: (route: RouteOptions, guard: GuardSettings) => void
}

export function createAttendance ({ csrf: { formField }, cookies }: Settings, log: FastifyBaseLogger): Attendance {
  const { path } = cookies.refresh

  return {
    keepFields: createKeeper(formField),
    mayNeedBody: (guard) => readsBody(guard) || (formField !== undefined && guard.locations.includes('cookie')),

    attend (route, { kind, locations }) {
      if (locations.includes('query')) hideTokens(route, log)
      if (kind === 'refresh' && route.method !== 'HEAD' && locations.includes('cookie') && !isWithin(route.url, path)) {
        log.warn(`${nameOf(route)} asks for a refresh token, but the cookie that holds it is sent to ${path} alone: see cookies.refresh.path`)
      }
    },
  }
}

/**
 * Looks at every route as it is added: one that would stand open by mistake is refused, and one with a guard gets what
 * the guard needs beside it.
 * @throws {OptionsInvalid} `ACCOUNTS_OPTIONS_INVALID`, from where the route is added
 */
export function watchRoutes (app: FastifyInstance, { keepFields, mayNeedBody, attend }: Attendance): void {
  const early = openRoutesOf(app)
  if (early.size > 0) throw new OptionsInvalid([...early.values()].join('; '))

  app.addHook('onError', keepChallenge)
  app.addHook('onRoute', (route) => {
    const open = undefinedHook(route)
    if (open) throw new OptionsInvalid(open)
    if (guardHooks.some((name) => hooksOf(route, name).some(isGuardFactory))) throw new OptionsInvalid(`${nameOf(route)} has app.accounts.guard itself as a hook: call it, app.accounts.guard({ … })`)
    const early = hooksOf(route, 'onRequest').find((hook) => readsBody(guardOf(hook))) as { name: string } | undefined
    if (early) throw new OptionsInvalid(`${nameOf(route)} has ${early.name} in onRequest, where there is no body yet: put it in preHandler`)

    const guards = guardsOf(route)
    if (guards.some((guard) => mayNeedBody(guard) || guard.locations.includes('query'))) putFirst(route, keepFields)
    guards.forEach((guard) => attend(route, guard))
  })
}

/** Before the hooks of the route, which may need what it keeps. */
function putFirst (route: RouteOptions, keepFields: Attendance['keepFields']): void {
  route.preValidation = [keepFields, ...hooksOf(route, 'preValidation')] as never
}

/** RFC 6265 §5.1.4. */
function isWithin (url: string, path: string): boolean {
  return url === path || url.startsWith(path.endsWith('/') ? path : `${path}/`)
}

/** The settings of the guards of a route. */
export function guardsOf (route: RouteOptions): GuardSettings[] {
  return guardHooks.flatMap((name) => hooksOf(route, name)).map(guardOf).filter((guard) => guard !== undefined)
}

/** True for a guard that may find its token in a body. */
function readsBody (guard: GuardSettings | undefined): boolean {
  return guard?.locations.includes('body') ?? false
}

/**
 * An `onError` hook: a host's own error handler drops the headers of errors, and a 401 must name its challenge. Other
 * errors' headers are left alone: those of an HTTP client's may be a whole foreign answer's.
 */
async function keepChallenge (_request: FastifyRequest, reply: FastifyReply, error: Error): Promise<void> {
  if (isOurs(error) && error.headers) reply.headers(error.headers)
}

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
    const open = undefinedHook(route)
    if (open && !found.has(route.url)) found.set(route.url, open)
  })
})

function openRoutesOf (app: object): Map<string, string> {
  for (let scope = app; scope; scope = Object.getPrototypeOf(scope)) {
    const found = openRoutes.get(scope)
    if (found) return found
  }
  return new Map()
}

function undefinedHook (route: RouteOptions): string | undefined {
  const name = guardHooks.find((hook) => Object.hasOwn(route, hook) && route[hook] === undefined)
  return name && `${nameOf(route)} has ${name}: undefined, which would leave it open to everybody. ` +
    'Write "await app.register(accounts)" before it, and look at how the guard is spelt'
}

function hooksOf (route: RouteOptions, name: typeof guardHooks[number]): unknown[] {
  return [route[name] ?? []].flat()
}

function nameOf ({ method, url }: RouteOptions): string {
  return `${[method].flat().join(',')} ${url}`
}
