import type { EntityManager } from '@mikro-orm/core'
import { isDuplicate, type Database } from '../database/database.ts'
import { withoutValues } from '../database/patience.ts'
import { inTransactionOf } from '../database/transaction.ts'
import { User } from './entity.ts'
import { ConstraintViolated } from '../database/errors.ts'
import { UserExists } from './errors.ts'
import type { UniqueFields } from './unique-fields.ts'

/** What of a user nobody else may have. */
export type Unique = Readonly<Pick<User, 'id' | 'usernameKey' | 'emailKey' | 'profile'>>

/** A user who is to be stored: somebody new, or somebody who has changed. */
export type Candidate = Unique & { isNew: boolean }

/** Says what of a user somebody else has, by asking for it: each driver tells of a broken key in words of its own. */
export interface Taken {
  /**
   * Looks before anything is written, in the transaction of `em`.
   * @throws {UserExists} that names the field
   */
  refuse: (candidate: Candidate, em: EntityManager) => Promise<void>
  /**
   * Stores a user by a whole transaction, or as a part of the host's in `em`. The keys of the database decide, so also in a
   * race; `candidate` is asked once they have refused. Where whoever had it has gone meanwhile, it is stored once more.
   * @throws {UserExists} that names the field
   */
  storing: <Result>(candidate: () => Candidate, store: () => Promise<Result>, em?: EntityManager) => Promise<Result>
}

/** Of a race that is lost to those who go at once, again and again. */
const mostTries = 3

export function createTaken (database: Database, uniqueFields: UniqueFields): Taken {
  const by = (property: string) => database.statement(({ query }) => query(User).select('id').where({ [property]: 'value' }))
  const statements = { username: by('usernameKey'), email: by('emailKey'), id: by('id') }

  /** The name of the first field that somebody else has; undefined if nobody has any. */
  async function find ({ id, usernameKey, emailKey, profile, isNew }: Candidate, em?: EntityManager): Promise<string | undefined> {
    const values = { username: usernameKey, email: emailKey, id: isNew ? id : null }
    for (const [field, value] of Object.entries(values)) {
      if (value === null) continue
      const rows = await inTransactionOf(database, em)((tx) => statements[field as keyof typeof values].all<{ id: string }>(tx, { value }))
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

  async function store<Result> (candidate: () => Candidate, work: () => Promise<Result>, em?: EntityManager, triesLeft = mostTries): Promise<Result> {
    try {
      return await work()
    } catch (error) {
      if (!isDuplicate(error)) throw error
      const isJoining = em?.isInTransaction()
      // Not in the host's transaction: PostgreSQL has given that up, and InnoDB shows what was when it began. SQLite's has the
      // one connection, and had told all before.
      if (!isJoining || !String(error.code).startsWith('SQLITE')) await refuse(candidate())
      if (isJoining) throw new ConstraintViolated({ cause: withoutValues(error) })
      if (triesLeft === 1) throw error
      return store(candidate, work, em, triesLeft - 1)
    }
  }

  return { refuse, storing: store }
}
