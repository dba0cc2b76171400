import { Type } from '@sinclair/typebox'
import { accessErrors, bodyErrors } from '../../guards/answers.ts'
import { TokenStale, TokenWeak } from '../../guards/errors.ts'
import type { Telling } from '../../host/hooks.ts'
import { answers, tags } from '../../http/answers.ts'
import { clientOf, sourceOf } from '../../http/request.ts'
import type { Hooks } from '../../sessions/options.ts'
import { NotFound } from '../../users/errors.ts'
import { FactorMissing } from '../factors/errors.ts'
import type { Factors, Regenerate } from '../factors/factors.ts'
import type { OnFactorsChanged } from '../factors/options.ts'
import type { AddRoutes } from '../feature.ts'
import type { Spine } from '../spine.ts'
import type { RecoveryCodes } from './recovery-codes.ts'

/** Sessions go on: whoever has one has proved more than a code of before could. */
export function createRegenerate (spine: Spine, { of }: Factors, codes: RecoveryCodes): Regenerate {
  const { mail, sessions: { revocationLog }, users: { lookUp, publicUsers } } = spine
  const hooks: Hooks & Telling<{ onFactorsChanged: OnFactorsChanged }> = spine.hooks

  return async (userId, { request, em }) => {
    const client = request && clientOf(request)
    const { user, made } = await revocationLog.record(async (tx, _, note) => {
      const user = await lookUp.locked(tx, userId)
      if (!user) throw new NotFound()
      if (!(await of(tx, userId)).some(({ isFactor }) => isFactor)) throw new FactorMissing()
      const made = await codes.renew(tx, userId)
      await note({ type: 'factor-added', reason: 'recovery', userId, client })
      const data = { change: 'factor-added', factor: 'recovery' }
      await mail?.notify(tx, 'factorsChanged', user, { client, data })
      return { user, made }
    }, em)
    const changed = { what: 'recovery', change: 'factor-added' } as const
    hooks.onFactorsChanged?.(publicUsers.of(user), changed, request ? sourceOf(request) : null)
    return made
  }
}

/** New recovery codes, for who has used most of them, or lost them. */
export function regenerate (
  { guards, settings }: Spine, { Schema }: RecoveryCodes, make: Regenerate
): AddRoutes {
  const schema = {
    operationId: 'regenerateRecoveryCodes',
    summary: 'Make new recovery codes: the old ones are void',
    description: 'Asks for all factors, proved within 10 minutes: see reauthenticate. They are shown this once.',
    tags,
    response: answers({
      200: Type.Object({ recovery_codes: Schema }, { description: 'The new codes' }),
    }, ...accessErrors(settings.locations), ...bodyErrors, TokenStale, TokenWeak, FactorMissing),
  }
  const onRequest = guards.ownGuard({ strong: 'always', consistency: 'strict' })

  return (scope, path) => scope.post(`${path}/recovery-codes`, { schema, onRequest }, async (request) =>
    ({ recovery_codes: await make(request.auth.claims.sub, { request }) }))
}
