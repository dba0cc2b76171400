import type { EntityManager } from '@mikro-orm/core'
import { inTransactionOf, transactionOf } from '../../database/transactions.ts'
import type { Draft } from '../../users/draft.ts'
import { User } from '../../users/entity.ts'
import type { Spine } from '../spine.ts'

/**
 * Adds a user without a session. `told` is called once that is stored, a transaction of the host's included.
 * @throws {UserExists} a 409, found by the database, so also in a race
 */
export type AddUser = (draft: Draft, em: EntityManager | undefined, told: (user: User) => void) => Promise<User>

export function createAddUser ({
  database,
  users: { taken, uniqueFields },
}: Pick<Spine, 'database' | 'users'>): AddUser {
  return (draft, em, told) =>
    taken.storing(
      () => ({ ...draft, isNew: true }),
      async () => {
        // In the host's transaction, which a broken key may end, it is looked first.
        const isJoining = em?.isInTransaction()
        if (isJoining) await taken.refuse({ ...draft, isNew: true }, em!)
        // One statement needs no transaction.
        const runIn = uniqueFields.names.length === 0 ? inTransactionOf : transactionOf
        await runIn(database, em)(async (tx) => {
          await tx.insert(User, draft)
          await uniqueFields.note(tx, draft.id, draft.profile)
        })
        if (isJoining) database.commits.after(em!, () => told(draft))
        else told(draft)
        return draft
      },
      em
    )
}
