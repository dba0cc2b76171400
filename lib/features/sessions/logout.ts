import type { Context } from '../../context.ts'
import { clearRefused, forget } from '../../sign-in/grant.ts'
import { clientOf, sourceOf } from '../../http/request.ts'
import { clearingAnswers, ForgottenSchema, RefreshTokenBodySchema, refreshErrors, tags } from '../../sign-in/schema.ts'
import type { Scope } from '../../http/scope.ts'

export function logout (scope: Scope, context: Context, path: string): void {
  const { csrf, hooks, locator, publicUsers, sessions, tokens, refreshLocations, securityOf, settings } = context

  const schema = {
    operationId: 'logout',
    summary: 'End the session, and every token of it',
    description: 'Takes a refresh token of any age, or an access token that has not expired. A session that is over stays over.',
    tags,
    security: securityOf('any', refreshLocations),
    body: RefreshTokenBodySchema,
    response: clearingAnswers(refreshLocations, { 204: ForgottenSchema(settings) }, ...refreshErrors(refreshLocations)),
  }

  scope.post(path, { schema }, async (request, reply) => {
    const { token, location, kinds } = locator.locate(request, 'any', refreshLocations)
    try {
      const verified = tokens.verifyEvenExpired(token, kinds)
      if (location === 'cookie') csrf.requireProof(request, verified.claims)
      const ended = await sessions.logout(verified, clientOf(request))
      if (ended) hooks.tell('onLogout', publicUsers.of(ended.user), sourceOf(request))
    } catch (error) {
      clearRefused(context, request, reply, location, error)
      throw error
    }
    forget(context, request, reply)
    reply.code(204)
  })
}
