import type { Context } from '../context.ts'
import { UserSchema } from '../users/public-user.ts'
import { accessErrors, answers, tags } from './schemas.ts'
import type { Scope } from './scope.ts'

export function me (scope: Scope, context: Context, path: string): void {
  const schema = {
    operationId: 'me',
    summary: 'The signed-in user',
    tags,
    response: answers({ 200: UserSchema }, ...accessErrors),
  }

  scope.get(path, { schema, onRequest: context.authenticate }, async ({ user }) => user)
}
