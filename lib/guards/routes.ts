import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { OptionsInvalid } from '../http/errors.ts'
import { isOurs } from '../http/our-error.ts'
import type { TransportSettings } from '../transport/options.ts'
import { guardOf, isGuardFactory } from './guard.ts'
import { bringCookies } from '../transport/keep.ts'
import { createKeeper } from '../transport/locate.ts'
import { hideTokens } from './log.ts'
import { isRefused, openBy, openRoutesOf, undefinedHook } from './open-routes.ts'
import type { GuardSettings } from './options.ts'
import { addFirst, guardHooks, guardsOf, hooksOf, keepWritten, nameOf, writtenOf } from './route-hooks.ts'

/** The routes that have a guard, and what a guard needs beside it. */
export interface GuardedRoutes {
  /** Keeps fields of a request that a validator may strip. */
  keepFields: (request: FastifyRequest) => Promise<void>
  /** True for a guard that may find in a body what it looks for, a token or a value against CSRF. */
  mayNeedBody: (guard: GuardSettings) => boolean
  /**
   * Adds a route and its guard: hides tokens of the query and of subprotocols from the log, and warns of a cookie that
   * will not be sent to the route.
   */
  add: (route: RouteOptions, guard: GuardSettings) => void
  has: (route: RouteOptions) => boolean
}

export function createGuardedRoutes (
  { csrf: { formField }, cookies }: TransportSettings, log: FastifyBaseLogger
): GuardedRoutes {
  const { path } = cookies.refresh
  const guarded = new WeakSet<RouteOptions>()

  return {
    keepFields: createKeeper(formField),
    mayNeedBody: (guard) => readsBody(guard) || (formField !== undefined && guard.locations.includes('cookie')),

    has: (route) => guarded.has(route),

    add (route, { kind, locations }) {
      guarded.add(route)
      if (locations.includes('query') || locations.includes('protocol')) hideTokens(route, log)
      if (kind === 'refresh' && route.method !== 'HEAD' && locations.includes('cookie') && !isBelow(route.url, path)) {
        log.warn(`${nameOf(route)} asks for a refresh token, ` +
          `but the cookie that holds it is sent to ${path} alone: see cookies.refresh.path`)
      }
    },
  }
}

/**
 * Looks at every route as it is added: one that would stand open by mistake is refused, and one with a guard gets what
 * the guard needs beside it. `name` is that of the accounts, whose guards are there once the app has a decorator of it.
 * @throws {OptionsInvalid} `ACCOUNTS_OPTIONS_INVALID`, from where the route is added
 */
export function watchRoutes (
  app: FastifyInstance, { keepFields, mayNeedBody, add, has }: GuardedRoutes, name: string
): void {
  const early = openRoutesOf(app)
  if (early.size > 0) throw new OptionsInvalid([...early.values()].join('; '))

  const unguarded = new Map<RouteOptions, string>()
  addFirst(app, keepWritten)
  app.addHook('onError', keepChallenge)
  app.addHook('onError', bringCookies)
  app.addHook('onRoute', (route) => {
    const hook = undefinedHook(route)
    if (hook && isRefused(route, !app.hasDecorator(name))) throw new OptionsInvalid(openBy(route, hook))
    // Fastify adds a HEAD to every GET, and one warning will do.
    if (hook && route.method !== 'HEAD') unguarded.set(route, `${nameOf(route)} (${hook})`)

    if (guardHooks.some((name) => writtenOf(route, name).some(isGuardFactory))) {
      throw new OptionsInvalid(`${nameOf(route)} has app.accounts.guard itself as a hook: ` +
        'call it, app.accounts.guard({ … })')
    }
    const early = writtenOf(route, 'onRequest').find((hook) => readsBody(guardOf(hook))) as { name: string } | undefined
    if (early) {
      throw new OptionsInvalid(`${nameOf(route)} has ${early.name} in onRequest, ` +
        'where there is no body yet: put it in preHandler')
    }

    const guards = guardsOf(route)
    if (guards.some((guard) => mayNeedBody(guard) || guard.locations.includes('query'))) putFirst(route, keepFields)
    guards.forEach((guard) => add(route, guard))
  })

  app.addHook('onReady', async () => {
    const open = [...unguarded].filter(([route]) => !has(route)).map(([, named]) => named)
    if (open.length === 0) return
    app.log.warn(`A package has written routes with a hook that is undefined: ${open.join(', ')}. ` +
      'If a guard was meant for one, it is open to everybody: ' +
      'look at how the guard is spelt in the options of that package')
  })
}

/** Puts `keepFields` before the hooks of the route, which may need what it keeps. */
function putFirst (route: RouteOptions, keepFields: GuardedRoutes['keepFields']): void {
  route.preValidation = [keepFields, ...hooksOf(route, 'preValidation')] as never
}

/** The path-match of cookies (RFC 6265 §5.1.4). */
function isBelow (url: string, path: string): boolean {
  return url === path || url.startsWith(path.endsWith('/') ? path : `${path}/`)
}

/** True for a guard that may find its token in a body. */
function readsBody (guard: GuardSettings | undefined): boolean {
  return guard?.locations.includes('body') ?? false
}

/**
 * An `onError` hook that keeps the challenge of a 401, since a host's own error handler may drop the headers of errors.
 * The headers of other errors are left alone: an error of an HTTP client may have those of a whole answer from
 * elsewhere.
 */
async function keepChallenge (_request: FastifyRequest, reply: FastifyReply, error: Error): Promise<void> {
  if (isOurs(error) && error.headers) reply.headers(error.headers)
}
