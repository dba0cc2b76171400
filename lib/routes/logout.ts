import type { Context } from '../context.ts'
import { kindsIn, locateRefresh } from '../guards/locate.ts'
import { answers, NothingSchema, RefreshTokenBodySchema, refreshErrors, tags } from './schemas.ts'
import type { Scope } from './scope.ts'

export function logout (scope: Scope, context: Context, path: string): void {
  const schema = {
    operationId: 'logout',
    summary: 'End the session, and every token of it',
    description: 'Takes a refresh token of any age, or an access token that has not expired. A session that is over stays over.',
    tags,
    security: [{ refreshToken: [] }, { accessToken: [] }, {}],
    body: RefreshTokenBodySchema,
    response: answers({ 204: NothingSchema }, ...refreshErrors),
  }

  scope.post(path, { schema }, async (request, reply) => {
    const { token, location } = locateRefresh(request)
    await context.sessions.logout(context.tokens.verifyForLogout(token, kindsIn(location)))
    reply.code(204)
  })
}
