import { Type } from '@sinclair/typebox'
import { accessErrors, bodyErrors } from '../../guards/answers.ts'
import { TokenStale, TokenWeak } from '../../guards/errors.ts'
import { answers, tags } from '../../http/answers.ts'
import { clientOf } from '../../http/request.ts'
import { NotFound } from '../../users/errors.ts'
import { FactorMissing } from '../factors/errors.ts'
import type { Factors, Regenerate } from '../factors/factors.ts'
import type { AddRoutes } from '../feature.ts'
import type { Spine } from '../spine.ts'
import type { RecoveryCodes } from './recovery-codes.ts'

/** Sessions go on: whoever has one has proved more than a code of before could. */
export function createRegenerate (
  { sessions: { revocationLog }, users: { lookUp } }: Spine, { of, telling }: Factors, codes: RecoveryCodes
): Regenerate {
  const change = { type: 'factor-added', reason: 'recovery' } as const

  return async (userId, { request, em }) => {
    const client = request && clientOf(request)
    const { user, made } = await revocationLog.record(async (tx, _, note) => {
      const user = await lookUp.locked(tx, userId)
      if (!user) throw new NotFound()
      if (!(await of(tx, userId)).some(({ isFactor }) => isFactor)) throw new FactorMissing()
      const made = await codes.renew(tx, userId)
      await telling.write(tx, user, note, change, { client })
      return { user, made }
    }, em)
    telling.tell(user, change, request)
    return made
  }
}

/** New recovery codes, for who has used most of them, or lost them. */
export function regenerate (
  { guards, settings }: Spine, { Schema }: RecoveryCodes, make: Regenerate
): AddRoutes {
  const schema = {
    operationId: 'regenerateRecoveryCodes',
    summary: 'Replace the recovery codes',
    description: 'Requires all factors, proved within 10 minutes: see reauthenticate. The codes are shown only ' +
      'once.',
    tags,
    response: answers({
      200: Type.Object({ recovery_codes: Schema }, { description: 'The new codes' }),
    }, ...accessErrors(settings.locations), ...bodyErrors, TokenStale, TokenWeak, FactorMissing),
  }
  const onRequest = guards.ownGuard({ strong: 'always', consistency: 'strict' })

  return (scope, path) => scope.post(`${path}/recovery-codes`, { schema, onRequest }, async (request) =>
    ({ recovery_codes: await make(request.auth.claims.sub, { request }) }))
}
