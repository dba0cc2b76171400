import type { EntityManager } from '@mikro-orm/core'
import { TokenRevoked } from '../../sessions/errors.ts'
import type { StepUpProof } from '../../sign-in/sign-in.ts'
import type { Counting } from './counting.ts'
import { PasskeyInvalid, PasskeyUnknown } from './errors.ts'
import type { PasskeyParts } from './parts.ts'
import { AssertionSchema, type Assertion } from './schema.ts'

/** How a passkey proves once more who is signed in: at once all that anybody could ask for. */
export function passkeyStepUp (
  { spine: { users: { lookUp } }, proving, factors }: PasskeyParts, counting: Counting
): StepUpProof {
  return {
    field: 'credential',
    FieldSchema: AssertionSchema,
    Refusals: [PasskeyInvalid, PasskeyUnknown],
    check: (request, credential, goOn) => counting(request, async () => {
      const { sub: userId, sid: binding } = request.auth.claims
      const { proved, spend } = await proving.prove(request, credential as Assertion, {
        userId, purpose: 'reauthenticate', binding, verifiesUser: true, namesUser: false,
      })
      return goOn({
        proved,
        async spend (tx: EntityManager) {
          const user = await lookUp.locked(tx, userId)
          if (!user || user.disabledAt) throw new TokenRevoked()
          await spend(tx)
          await factors.reopen(tx, userId)
        },
      })
    }, request.auth.claims.sub),
  }
}
