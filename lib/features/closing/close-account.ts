import { Type } from '@sinclair/typebox'
import { accessErrors, bodyErrors, strongErrors } from '../../guards/answers.ts'
import { TokenStale } from '../../guards/errors.ts'
import { answers, tags } from '../../http/answers.ts'
import { clientOf } from '../../http/request.ts'
import { TokenRevoked } from '../../sessions/errors.ts'
import { ForgottenSchema } from '../../transport/schema.ts'
import { NotFound } from '../../users/errors.ts'
import type { AddRoutes } from '../feature.ts'
import type { Spine } from '../spine.ts'
import { LastAdmin, UserReferenced } from '../users/errors.ts'
import type { Closing } from './closing.ts'

export function closeAccount (
  { guards, settings, transport }: Spine, closing: Closing, graceSeconds: number
): AddRoutes {
  const ClosingSchema = Type.Object({
    closes_at: Type.String({
      format: 'date-time',
      description: 'When the account is deleted. Until then it can be restored.',
      examples: ['2026-02-11T08:00:00.000Z'],
    }),
  }, { description: 'The account is scheduled for deletion' })
  const schema = {
    operationId: 'closeAccount',
    summary: 'Close the account of the signed-in user, and end all sessions',
    description: 'Requires a password that was checked within 10 minutes: see reauthenticate.',
    tags,
    response: answers(
      graceSeconds > 0 ? { 202: ClosingSchema } : { 204: ForgottenSchema(settings) },
      ...accessErrors(settings.locations),
      ...strongErrors(settings),
      ...bodyErrors,
      TokenStale,
      LastAdmin,
      ...graceSeconds > 0 ? [] : [UserReferenced]
    ),
  }
  const onRequest = guards.ownGuard({ fresh: true, strong: 'with-factor', consistency: 'strict' })

  return (scope, path) => scope.delete(path, { schema, onRequest }, async (request, reply) => {
    const asked = { client: clientOf(request), keepsAdmin: true }
    const closesAt = await closing.close(request.auth.claims.sub, asked).catch(orOver)
    transport.forget(request, reply)
    reply.code(closesAt ? 202 : 204)
    return closesAt && { closes_at: closesAt.toISOString() }
  })
}

/** Who was deleted since the guard looked is signed in no longer. */
function orOver (error: unknown): never {
  throw error instanceof NotFound ? new TokenRevoked() : error
}
