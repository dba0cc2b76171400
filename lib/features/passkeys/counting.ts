import type { Events } from '../../events/events.ts'
import { clientOf, type AnyRequest } from '../../http/request.ts'
import type { PasswordEvents } from '../passwords/events.ts'
import type { Limits } from '../throttle/limits.ts'
import { PasskeyInvalid, PasskeyUnknown } from './errors.ts'
import type { PasskeyCounters } from './events.ts'

/**
 * Lets somebody prove who they are by a passkey: what is refused is told and counts for the network, and never for a
 * user, whom others could shut out by it. `userId`: who it has to be, if that is known.
 * @throws {Throttled}
 */
export type Counting = <Result>(request: AnyRequest, act: () => Promise<Result>, userId?: string) => Promise<Result>

export function createCounting (
  throttle: Limits, events: Events<PasswordEvents>, counters: PasskeyCounters
): Counting {
  return (request, act, userId) => throttle.guessFactor(request, undefined, act).catch(async (error) => {
    if (error instanceof PasskeyInvalid || error instanceof PasskeyUnknown) {
      counters.passkeysRefused++
      await events.happen({ type: 'login-failed', reason: 'passkey', userId, client: clientOf(request) })
    }
    throw error
  })
}
