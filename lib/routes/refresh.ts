import { clientOf } from '../client.ts'
import type { Context } from '../context.ts'
import { Throttled, TokenRevoked } from '../errors.ts'
import { claimsOf, clearRefused, deliver, grant, requireOwnSite } from '../grants.ts'
import { sourceOf } from '../hooks.ts'
import { clearingAnswers, refreshErrors, RefreshTokenBodySchema, tags, tokenResponseSchema } from './schemas.ts'
import type { Scope } from './scope.ts'

export function refresh (scope: Scope, context: Context, path: string): void {
  const { admission, csrf, hooks, locator, sessions, throttle, tokens, refreshLocations, securityOf } = context

  const schema = {
    operationId: 'refresh',
    summary: 'Buy new tokens with a refresh token',
    tags,
    security: securityOf('refresh', refreshLocations),
    body: RefreshTokenBodySchema,
    response: clearingAnswers(refreshLocations, { 200: tokenResponseSchema(context) }, ...refreshErrors(refreshLocations), Throttled),
  }

  scope.post(path, { schema }, async (request, reply) => {
    const { token, location } = locator.locate(request, 'refresh', refreshLocations)
    try {
      const { claims } = tokens.verify(token, ['refresh'])
      if (location === 'cookie') csrf.requireProof(request, claims)
      await admission.askHost(claims, request)
      const { session, prepared } = await sessions.refresh(claims, async (session) => {
        requireOwnSite(context, request, session, location)
        return claimsOf(context, session.user, request)
      }, clientOf(request)).catch(async (error) => {
        // Only who has our key, or a copy of what is deleted, can show a good token of a session that never was.
        if (error instanceof TokenRevoked && !await sessions.isThere(claims.sid)) await throttle.fail(request)
        throw error
      })
      const granted = grant(context, session, prepared, location === 'cookie' ? claims : undefined)
      hooks.tell('onRefresh', granted.body.user, sourceOf(request))
      return deliver(reply, granted)
    } catch (error) {
      clearRefused(context, request, reply, location, error)
      throw error
    }
  })
}
