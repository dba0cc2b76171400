import { clearingAnswers, refreshErrors } from '../../guards/answers.ts'
import { tags } from '../../http/answers.ts'
import { clientOf, sourceOf } from '../../http/request.ts'
import { ForgottenSchema, RefreshTokenBodySchema } from '../../transport/schema.ts'
import type { AddRoutes } from '../feature.ts'
import type { Spine } from '../spine.ts'

export function logout ({ hooks, openapi, sessions, settings, tokens, transport, users }: Spine): AddRoutes {
  const { csrf, locator, refreshLocations, clearRefused, forget } = transport

  const schema = {
    operationId: 'logout',
    summary: 'Log out: end the session and all its tokens',
    description:
      'Accepts a refresh token of any age, or an access token that has not expired. An ended session stays ended.',
    tags,
    security: openapi.securityOf('any', refreshLocations),
    body: RefreshTokenBodySchema,
    response: clearingAnswers(refreshLocations, { 204: ForgottenSchema(settings) }, ...refreshErrors(refreshLocations)),
  }

  return (scope, path) => scope.post(path, { schema }, async (request, reply) => {
    const { token, location, kinds } = locator.locate(request, 'any', refreshLocations)
    try {
      const verified = tokens.verifyEvenExpired(token, kinds)
      if (location === 'cookie') csrf.requireProof(request, verified.claims)
      const ended = await sessions.logout(verified, clientOf(request))
      if (ended) hooks.onLogout?.(users.publicUsers.of(ended.user), sourceOf(request))
    } catch (error) {
      clearRefused(request, reply, location, error)
      throw error
    }
    forget(request, reply)
    reply.code(204)
  })
}
