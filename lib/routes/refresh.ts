import { tokenResponse, type Context } from '../context.ts'
import { locateRefresh } from '../guards/locate.ts'
import { answers, refreshErrors, RefreshTokenBodySchema, tags, TokenResponseSchema } from './schemas.ts'
import type { Scope } from './scope.ts'

export function refresh (scope: Scope, context: Context, path: string): void {
  const schema = {
    operationId: 'refresh',
    summary: 'Buy new tokens with a refresh token',
    tags,
    security: [{ refreshToken: [] }, {}],
    body: RefreshTokenBodySchema,
    response: answers({ 200: TokenResponseSchema }, ...refreshErrors),
  }

  scope.post(path, { schema }, async (request) => {
    const { token } = locateRefresh(request)
    const { claims } = context.tokens.verify(token, ['refresh'])
    const session = await context.sessions.refresh(claims)
    return tokenResponse(context, session)
  })
}
