import { Type } from '@sinclair/typebox'
import { clientOf, tokenResponse, type Context } from '../context.ts'
import { CredentialsInvalid } from '../errors.ts'
import { answers, bodyErrors, tags, TokenResponseSchema } from './schemas.ts'
import type { Scope } from './scope.ts'

export function login (scope: Scope, context: Context, path: string): void {
  const { identifiers } = context.settings
  const field = identifiers.includes('username') ? 'username' : 'email'
  const what = { username: 'user name', email: 'e-mail address' }

  const schema = {
    operationId: 'login',
    summary: 'Sign in with a password',
    tags,
    body: Type.Object({
      [field]: Type.String({ maxLength: 512, description: `The ${identifiers.map((name) => what[name]).join(' or ')}.` }),
      password: Type.String(),
    }, { additionalProperties: false }),
    response: answers({ 200: TokenResponseSchema }, ...bodyErrors, CredentialsInvalid),
  }

  scope.post(path, { schema }, async (request) => {
    const { [field]: identifier, password } = request.body as Record<string, string>
    const session = await context.users.login(identifier!, password!, clientOf(request))
    return tokenResponse(context, session)
  })
}
