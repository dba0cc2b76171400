import { Type } from '@sinclair/typebox'
import { clientOf, tokenResponse, type Context } from '../context.ts'
import { PasswordRejected, UserExists } from '../errors.ts'
import type { Registration } from '../users/users.ts'
import { answers, bodyErrors, EmailSchema, tags, TokenResponseSchema, UsernameSchema } from './schemas.ts'
import type { Scope } from './scope.ts'

export function register (scope: Scope, context: Context, path: string): void {
  const { identifiers, password } = context.settings
  const hasName = identifiers.includes('username')
  const hasEmail = identifiers.includes('email')

  const schema = {
    operationId: 'register',
    summary: 'Open an account and sign in',
    tags,
    body: Type.Object({
      ...hasName && { username: UsernameSchema },
      ...hasEmail && { email: hasName ? Type.Optional(EmailSchema) : EmailSchema },
      password: Type.String({
        description: `${password.minLength} to ${password.maxLength} characters, of any kind but control characters.`,
      }),
    }, { additionalProperties: false }),
    response: answers({ 201: TokenResponseSchema }, ...bodyErrors, PasswordRejected, UserExists),
  }

  scope.post(path, { schema }, async (request, reply) => {
    const session = await context.users.register(request.body as Registration, clientOf(request))
    reply.code(201)
    return tokenResponse(context, session)
  })
}
