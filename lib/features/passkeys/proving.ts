import type { EntityManager } from '@mikro-orm/core'
import { clientOf, type AnyRequest } from '../../http/request.ts'
import type { Spent } from '../../one-time/spent.ts'
import type { Events } from '../../events/events.ts'
import type { Proved } from '../../tokens/levels.ts'
import type { Spine } from '../spine.ts'
import { PasskeyInvalid, PasskeyUnknown } from './errors.ts'
import type { PasskeyEvents } from './events.ts'
import type { PasskeyRow, Rows } from './rows.ts'
import type { Assertion } from './schema.ts'
import type { Answered, Asserted, Expected, Verifier } from './verifier.ts'

/** A passkey that has signed, and is not used up yet. */
export interface Proof {
  passkey: PasskeyRow
  /** A passkey is two factors where it has verified its user, and the second one after another in any case. */
  proved: Proved
  /**
   * Uses the signature up, in the transaction that has locked the user: of many at once one alone succeeds.
   * @throws {PasskeyInvalid} where it was used before, or the passkey may have been copied
   */
  spend: (tx: EntityManager) => Promise<void>
}

/** How passkeys prove who somebody is. */
export interface Proving {
  /**
   * Checks what a passkey has signed, outside of any transaction. `userId`: whose it has to be, if that is known.
   * @throws {PasskeyUnknown} where there is no such passkey, or it is somebody else's
   * @throws {PasskeyInvalid}
   */
  prove: (request: AnyRequest, credential: Assertion, expected: Expected & { userId?: string }) => Promise<Proof>
  /**
   * Uses a challenge up, in a transaction.
   * @throws {PasskeyInvalid} where it was used before
   */
  spendChallenge: (tx: EntityManager, answered: Answered) => Promise<void>
}

interface ProvingParts {
  rows: Rows
  verifier: Verifier
  spent: Spent
  /** Counts what came a second time. */
  counters: { spentTwice: number }
}

export function createProving (
  { database, events }: Pick<Spine, 'database'> & { events: Events<PasskeyEvents> },
  { rows, verifier, spent, counters }: ProvingParts
): Proving {
  async function spendChallenge (tx: EntityManager, { challenge, expiresAt }: Answered): Promise<void> {
    if (await spent.spend(tx, 'challenge', challenge, expiresAt)) return
    counters.spentTwice++
    throw new PasskeyInvalid()
  }

  /** What is told is written beside the transaction, which is undone: nobody waits for it here. */
  function suspecting (request: AnyRequest, { userId }: PasskeyRow): () => void {
    let isTold = false
    return () => {
      if (!isTold) events.happen({ type: 'passkey-suspicious', userId, client: clientOf(request) })
      isTold = true
    }
  }

  return {
    spendChallenge,

    async prove (request, credential, { userId, ...expected }) {
      const passkey = await database.run((em) => rows.find(em, credential.id))
      if (!passkey || (userId !== undefined && passkey.userId !== userId)) throw new PasskeyUnknown()
      const asserted = await verifier.assert(credential, passkey, expected)
      const suspect = suspecting(request, passkey)
      return {
        passkey,
        proved: { acr: 'phr', amr: methodsOf(asserted) },
        async spend (tx) {
          await spendChallenge(tx, asserted)
          if (await rows.use(tx, passkey.id, asserted)) return
          suspect()
          throw new PasskeyInvalid()
        },
      }
    },
  }
}

/** RFC 8176. Nothing is said of hardware and fingerprints, which only an attestation could vouch for. */
export function methodsOf ({ isUserVerified }: Pick<Asserted, 'isUserVerified'>): string[] {
  return isUserVerified ? ['pop', 'user', 'mfa'] : ['pop', 'mfa']
}
