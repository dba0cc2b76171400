import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { OptionsInvalid } from '../http/errors.ts'
import { isOurs } from '../http/our-error.ts'
import type { TransportSettings } from '../transport/options.ts'
import { guardOf, isGuardFactory } from './guard.ts'
import { createKeeper } from '../transport/locate.ts'
import { hideTokens } from './log.ts'
import { isRefused, openBy, openRoutesOf, undefinedHook } from './open-routes.ts'
import type { GuardSettings } from './options.ts'
import { addFirst, guardHooks, guardsOf, hooksOf, keepWritten, nameOf, writtenOf } from './route-hooks.ts'

/** What stands beside a guard, on a route or on a scope. */
export interface Attendance {
  /** Keeps fields of a request that a validator may strip. */
  keepFields: (request: FastifyRequest) => Promise<void>
  /** True for a guard that may find in a body what it looks for, a token or a value against CSRF. */
  mayNeedBody: (guard: GuardSettings) => boolean
  /** Hides tokens of the query and of subprotocols from the log, and warns of a cookie that never arrives. */
  attend: (route: RouteOptions, guard: GuardSettings) => void
  /** True for a route that a guard stands before. */
  isAttended: (route: RouteOptions) => boolean
}

export function createAttendance ({ csrf: { formField }, cookies }: TransportSettings, log: FastifyBaseLogger): Attendance {
  const { path } = cookies.refresh
  const attended = new WeakSet<RouteOptions>()

  return {
    keepFields: createKeeper(formField),
    mayNeedBody: (guard) => readsBody(guard) || (formField !== undefined && guard.locations.includes('cookie')),

    isAttended: (route) => attended.has(route),

    attend (route, { kind, locations }) {
      attended.add(route)
      if (locations.includes('query') || locations.includes('protocol')) hideTokens(route, log)
      if (kind === 'refresh' && route.method !== 'HEAD' && locations.includes('cookie') && !isWithin(route.url, path)) {
        log.warn(`${nameOf(route)} asks for a refresh token, but the cookie that holds it is sent to ${path} alone: see cookies.refresh.path`)
      }
    },
  }
}

/**
 * Looks at every route as it is added: one that would stand open by mistake is refused, and one with a guard gets what
 * the guard needs beside it. `name` is that of the accounts, whose guards are there once the app has a decorator of it.
 * @throws {OptionsInvalid} `ACCOUNTS_OPTIONS_INVALID`, from where the route is added
 */
export function watchRoutes (app: FastifyInstance, { keepFields, mayNeedBody, attend, isAttended }: Attendance, name: string): void {
  const early = openRoutesOf(app)
  if (early.size > 0) throw new OptionsInvalid([...early.values()].join('; '))

  const unguarded = new Map<RouteOptions, string>()
  addFirst(app, keepWritten)
  app.addHook('onError', keepChallenge)
  app.addHook('onRoute', (route) => {
    const hook = undefinedHook(route)
    if (hook && isRefused(route, !app.hasDecorator(name))) throw new OptionsInvalid(openBy(route, hook))
    // Fastify adds a HEAD to every GET: one word for both.
    if (hook && route.method !== 'HEAD') unguarded.set(route, `${nameOf(route)} (${hook})`)

    if (guardHooks.some((name) => writtenOf(route, name).some(isGuardFactory))) throw new OptionsInvalid(`${nameOf(route)} has app.accounts.guard itself as a hook: call it, app.accounts.guard({ … })`)
    const early = writtenOf(route, 'onRequest').find((hook) => readsBody(guardOf(hook))) as { name: string } | undefined
    if (early) throw new OptionsInvalid(`${nameOf(route)} has ${early.name} in onRequest, where there is no body yet: put it in preHandler`)

    const guards = guardsOf(route)
    if (guards.some((guard) => mayNeedBody(guard) || guard.locations.includes('query'))) putFirst(route, keepFields)
    guards.forEach((guard) => attend(route, guard))
  })

  app.addHook('onReady', async () => {
    const open = [...unguarded].filter(([route]) => !isAttended(route)).map(([, named]) => named)
    if (open.length === 0) return
    app.log.warn(`A package has written routes with a hook that is undefined: ${open.join(', ')}. ` +
      'If a guard was meant for one, it is open to everybody: look at how the guard is spelt in the options of that package')
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
