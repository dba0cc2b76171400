import { inTransactionOf, type InTransaction } from '../../database/transactions.ts'
import { knownOptions } from '../../http/service-options.ts'
import { isId } from '../../tokens/claims.ts'
import type { PasskeyParts } from './parts.ts'
import type { RemovePasskey } from './removing.ts'
import type { PasskeyRow } from './rows.ts'
import { transportsOf } from './schema.ts'

/** A passkey, as services give it. */
export interface PasskeyInfo extends
  Pick<PasskeyRow, 'id' | 'name' | 'createdAt' | 'lastUsedAt' | 'backedUp' | 'synced' | 'aaguid' | 'rpId'> {
  /** How browsers reach it. */
  transports: string[]
}

/** What code may do with passkeys, with the option `passkeys`. Options that they do not know are `OptionsInvalid`. */
export interface PasskeyServices {
  /** The passkeys of a user, the oldest first. */
  list: (userId: string, options?: InTransaction) => Promise<PasskeyInfo[]>
  /**
   * Takes a passkey away from a user, and ends all sessions: for who has lost it.
   * @throws {NotFound} where the user has no such passkey
   * @throws {LastCredential} where nothing would be left that signs in, or no factor for who needs one
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
