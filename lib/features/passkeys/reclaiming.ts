import { User } from '../../users/entity.ts'
import type { ReclaimAlso } from '../mail/reclaim.ts'
import type { PasskeyParts } from './parts.ts'

/**
 * Takes the passkey away with which a stranger has opened an account for an address of somebody else (pre-hijacking):
 * only a registration gives one to somebody whose address is not proved.
 */
export function reclaimPasskeys ({ rows, recoveryCodes }: Pick<PasskeyParts, 'rows' | 'recoveryCodes'>): ReclaimAlso {
  return async (tx, { id }) => {
    if (!await rows.removeAll(tx, id)) return
    await recoveryCodes.remove(tx, id)
    await tx.nativeUpdate(User, { id }, { mfaAt: null, factorsChangedAt: new Date() })
  }
}
