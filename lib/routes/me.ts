import type { Context } from '../context.ts'
import type { AccountsUser } from '../users/public-user.ts'
import { accessErrors, answers, tags } from './schemas.ts'
import type { Scope } from './scope.ts'

export function me (scope: Scope, { authenticate, publicUsers, settings: { decoratorName } }: Context, path: string): void {
  const schema = {
    operationId: 'me',
    summary: 'The signed-in user',
    tags,
    response: answers({ 200: publicUsers.schema }, ...accessErrors()),
  }

  scope.get(path, { schema, onRequest: authenticate }, async (request): Promise<AccountsUser> => request[decoratorName as 'user'])
}
