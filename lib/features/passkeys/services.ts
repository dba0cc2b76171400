import { inTransactionOf, type InTransaction } from '../../database/transactions.ts'
import { knownOptions } from '../../http/service-options.ts'
import { isId } from '../../tokens/claims.ts'
import type { PasskeyParts } from './parts.ts'
import type { RemovePasskey } from './removing.ts'
import type { PasskeyRow } from './rows.ts'
import { transportsOf } from './schema.ts'

/** A passkey as services return it. */
export interface PasskeyInfo extends
  Pick<PasskeyRow, 'id' | 'name' | 'createdAt' | 'lastUsedAt' | 'backedUp' | 'synced' | 'aaguid' | 'rpId'> {
  /** How browsers reach it. */
  transports: string[]
}

/** The passkeys of users, with the option `passkeys`. Unknown options throw `OptionsInvalid`. */
export interface PasskeyServices {
  /** The passkeys of a user, the oldest first. */
  list: (userId: string, options?: InTransaction) => Promise<PasskeyInfo[]>
  /**
   * Removes a passkey of a user, and ends all sessions: for users who have lost it.
   * @throws {NotFound} if the user has no such passkey
   * @throws {LastCredential} if it is the last way to sign in, or the last factor of a user who must have one
   */
  delete: (userId: string, id: string, options?: InTransaction) => Promise<void>
}

export function createPasskeyServices (
  { spine: { database }, factors, rows }: PasskeyParts, remove: RemovePasskey
): PasskeyServices {
  return {
    async list (userId, options = {}) {
      const { em } = knownOptions('passkeys.list', ['em'], options)
      if (!isId(userId)) return []
      const found = await inTransactionOf(database, em)((tx) => rows.ofUser(tx, userId))
      return found.map((row) => {
        const { id, name, createdAt, lastUsedAt, backedUp, synced, aaguid, rpId } = row
        return { id, name, createdAt, lastUsedAt, backedUp, synced, transports: transportsOf(row), aaguid, rpId }
      })
    },

    async delete (userId, id, options = {}) {
      const { em } = knownOptions('passkeys.delete', ['em'], options)
      await factors.removeFor(userId, {
        type: 'factor-removed', reason: 'passkey', act: (tx, user) => remove(tx, user, id),
      }, { em })
    },
  }
}
