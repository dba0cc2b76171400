import type { Context } from '../../context.ts'
import { Throttled } from '../throttle/errors.ts'
import { TokenRevoked } from '../../sessions/errors.ts'
import { TokenMissing } from '../../transport/errors.ts'
import { claimsOf, clearRefused, deliver, grant, requireOwnSite } from '../../sign-in/grant.ts'
import type { LocatedToken } from '../../transport/locate.ts'
import { clientOf, sourceOf, type AnyRequest } from '../../http/request.ts'
import { clearingAnswers, refreshErrors, RefreshTokenBodySchema, tags, tokenResponseSchema } from '../../sign-in/schema.ts'
import type { Scope } from '../../http/scope.ts'

export function refresh (scope: Scope, context: Context, path: string): void {
  const { admission, cookies, csrf, hooks, locator, sessions, throttle, tokens, refreshLocations, securityOf } = context

  const schema = {
    operationId: 'refresh',
    summary: 'Buy new tokens with a refresh token',
    tags,
    security: securityOf('refresh', refreshLocations),
    body: RefreshTokenBodySchema,
    response: clearingAnswers(refreshLocations, { 200: tokenResponseSchema(context) }, ...refreshErrors(refreshLocations), Throttled),
  }

  function locate (request: AnyRequest): LocatedToken {
    try {
      return locator.locate(request, 'refresh', refreshLocations)
    } catch (error) {
      if (error instanceof TokenMissing && refreshLocations.includes('cookie')) cookies.warnOfPath(request)
      throw error
    }
  }

  scope.post(path, { schema }, async (request, reply) => {
    const { token, location } = locate(request)
    try {
      const { claims } = tokens.verifyEvenExpired(token, ['refresh'])
      if (location === 'cookie') csrf.requireProof(request, claims)
      const granted = await sessions.refresh(claims, async (session) => {
        await admission.askHost(claims, request)
        requireOwnSite(context, request, session, location)
        const custom = await claimsOf(context, session, request)
        return (next, parent) => parent
          ? grant(context, next, custom, { parent })
          : grant(context, next, custom, { shown: token, claims }, location === 'cookie')
      }, clientOf(request)).catch(async (error) => {
        // Only who has our key, or a copy of what is deleted, can show a good token of a session that never was.
        if (error instanceof TokenRevoked && !await sessions.isThere(claims.sid)) await throttle.fail(request)
        throw error
      })
      hooks.tell('onRefresh', granted.body.user, sourceOf(request))
      return deliver(reply, granted)
    } catch (error) {
      clearRefused(context, request, reply, location, error)
      throw error
    }
  })
}
