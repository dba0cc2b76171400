import type { EntityManager } from '@mikro-orm/core'
import { isDuplicate, type Database } from '../database/database.ts'
import { withoutValues } from '../database/patience.ts'
import { inTransactionOf } from '../database/transactions.ts'
import { User } from './entity.ts'
import { ConstraintViolated } from '../database/errors.ts'
import { UserExists } from './errors.ts'
import type { UniqueFields } from './unique-fields.ts'

/** The properties of a user that hold what nobody else may have. */
export type Unique = Readonly<Pick<User, 'id' | 'usernameKey' | 'emailKey' | 'profile'>>

/** A user who is to be stored, new or changed. */
export type Candidate = Unique & { isNew: boolean }

/** Finds out which field of a user is taken, by queries: each driver reports a duplicate key in words of its own. */
export interface Taken {
  /**
   * Looks before anything is written, in the transaction of `em`.
   * @throws {UserExists} that names the field
   */
  refuse: (candidate: Candidate, em: EntityManager) => Promise<void>
  /**
   * Stores a user by a transaction of its own, or as a part of the host's in `em`. The unique keys of the database
   * decide, so also in a race; `candidate` is called once they have refused. Where nobody has the value by then, it is
   * tried again.
   * @throws {UserExists} that names the field
   */
  storing: <Result>(candidate: () => Candidate, store: () => Promise<Result>, em?: EntityManager) => Promise<Result>
}

/** A key that is taken and free again each time that it is tried is tried no more often. */
const mostTries = 3

export function createTaken (database: Database, uniqueFields: UniqueFields): Taken {
  const select = (property: string) =>
    database.statement(({ query }) => query(User).select('id').where({ [property]: 'value' }))
  const statements = { username: select('usernameKey'), email: select('emailKey'), id: select('id') }

  /** The name of the first field that somebody else has; undefined if nobody has any. */
  async function find (
    { id, usernameKey, emailKey, profile, isNew }: Candidate, em?: EntityManager
  ): Promise<string | undefined> {
    const values = { username: usernameKey, email: emailKey, id: isNew ? id : null }
    for (const [field, value] of Object.entries(values)) {
      if (value === null) continue
      const statement = statements[field as keyof typeof values]
      const rows = await inTransactionOf(database, em)((tx) => statement.all<{ id: string }>(tx, { value }))
      if (rows.some((row) => isNew || row.id !== id)) return field
    }
    for (const [field, key] of uniqueFields.keysOf(profile)) {
      const holder = await inTransactionOf(database, em)((tx) => uniqueFields.holderOf(tx, field, key))
      if (holder !== undefined && holder !== id) return field
    }
  }

  async function refuse (candidate: Candidate, em?: EntityManager): Promise<void> {
    const field = await find(candidate, em)
    if (field !== undefined) throw new UserExists(field)
  }

  async function store<Result> (
    candidate: () => Candidate, work: () => Promise<Result>, em?: EntityManager, triesLeft = mostTries
  ): Promise<Result> {
    try {
      return await work()
    } catch (error) {
      if (!isDuplicate(error)) throw error
      const isJoining = em?.isInTransaction()
      // Asked outside of the host's transaction: PostgreSQL has aborted that, and InnoDB shows it the rows of when it
      // began. On SQLite that transaction has the only connection, and `refuse` has seen all there was to see in it.
      if (!isJoining || !String(error.code).startsWith('SQLITE')) await refuse(candidate())
      if (isJoining) throw new ConstraintViolated({ cause: withoutValues(error) })
      if (triesLeft === 1) throw error
      return store(candidate, work, em, triesLeft - 1)
    }
  }

  return { refuse, storing: store }
}
