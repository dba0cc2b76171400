import { clearingAnswers, refreshErrors } from '../../guards/answers.ts'
import { tags } from '../../http/answers.ts'
import { clientOf, sourceOf, type AnyRequest } from '../../http/request.ts'
import { TokenRevoked } from '../../sessions/errors.ts'
import { deliver } from '../../sign-in/grant.ts'
import { TokenMissing } from '../../transport/errors.ts'
import type { LocatedToken } from '../../transport/locate.ts'
import { RefreshTokenBodySchema } from '../../transport/schema.ts'
import type { AddRoutes } from '../feature.ts'
import type { Spine } from '../spine.ts'
import { Throttled } from '../throttle/errors.ts'
import type { Limits } from '../throttle/limits.ts'

export function refresh (spine: Spine, throttle: Limits): AddRoutes {
  const { guards: { admission }, hooks, openapi, sessions, signIn, tokens, transport } = spine
  const { cookies, csrf, locator, refreshLocations } = transport

  const schema = {
    operationId: 'refresh',
    summary: 'Get new tokens for a refresh token',
    tags,
    security: openapi.securityOf('refresh', refreshLocations),
    body: RefreshTokenBodySchema,
    response: clearingAnswers(refreshLocations, { 200: signIn.TokenResponseSchema },
      ...refreshErrors(refreshLocations), Throttled),
  }

  function locate (request: AnyRequest): LocatedToken {
    try {
      return locator.locate(request, 'refresh', refreshLocations)
    } catch (error) {
      if (error instanceof TokenMissing && refreshLocations.includes('cookie')) cookies.warnOfPath(request)
      throw error
    }
  }

  return (scope, path) => scope.post(path, { schema }, async (request, reply) => {
    const { token, location } = locate(request)
    try {
      const { claims } = tokens.verifyEvenExpired(token, ['refresh'])
      if (location === 'cookie') csrf.requireProof(request, claims)
      const granted = await sessions.refresh(claims, async (session) => {
        await admission.askHost(claims, request)
        transport.requireOwnSite(request, session, location)
        const custom = await signIn.customClaims(session, request)
        return (next, parent) => parent
          ? signIn.grant(next, custom, { parent })
          : signIn.grant(next, custom, { shown: token, claims }, location === 'cookie')
      }, clientOf(request)).catch(async (error) => {
        // Only who has our key, or a copy of what is deleted, can show a good token of a session that never was.
        if (error instanceof TokenRevoked && !await sessions.isThere(claims.sid)) await throttle.fail(request)
        throw error
      })
      hooks.onRefresh?.(granted.body.user, sourceOf(request))
      return deliver(reply, granted)
    } catch (error) {
      transport.clearRefused(request, reply, location, error)
      throw error
    }
  })
}
