import type { SignInStep } from '../../sign-in/sign-in.ts'
import type { Spine } from '../spine.ts'
import { FactorEnrolmentRequired, FactorRequired } from './errors.ts'
import type { Factors } from './factors.ts'
import type { RememberedDevices } from './remembered.ts'

/**
 * Lets nobody in by a first factor alone who has a second one, or needs one, by whatever way they come: the one place
 * that decides it. Who has just registered has none yet, and nothing that it could protect.
 */
export function createFactorStep (
  { database, users: { needsOf } }: Spine,
  { of, tickets }: Pick<Factors, 'of' | 'tickets'>,
  devices: RememberedDevices,
  enrolable: () => string[]
): SignInStep {
  return {
    Refusals: [FactorRequired, FactorEnrolmentRequired],

    async judge (user, attempt) {
      if (attempt.acr !== undefined) return
      const { hasFactor, needsFactor } = needsOf(user)
      if (!hasFactor && !needsFactor) return
      const isHere = !needsFactor && attempt.sessionId === undefined && devices.isRemembered(attempt.request, user)
      if (isHere) return

      const methods = await (attempt.tx ? of(attempt.tx, user.id) : database.run((em) => of(em, user.id)))
      if (!hasFactor && !methods.some(({ isFactor }) => isFactor)) {
        return new FactorEnrolmentRequired(tickets.give(user, 'enrol', attempt), enrolable())
      }
      const use = attempt.sessionId === undefined ? 'login' : 'reauthenticate'
      return new FactorRequired(tickets.give(user, use, attempt), methods.map(({ name }) => name))
    },
  }
}
