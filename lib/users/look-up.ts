import { raw, type EntityManager } from '@mikro-orm/core'
import { Type } from '@sinclair/typebox'
import type { Database } from '../database/database.ts'
import { fromRow, selectFrom } from '../database/statement.ts'
import { inTransactionOf } from '../database/transactions.ts'
import { User } from './entity.ts'
import { InputInvalid } from '../http/errors.ts'
import { NotFound } from './errors.ts'
import { isId } from '../tokens/claims.ts'
import { identifierKey } from './identifiers.ts'
import type { UserSettings } from './options.ts'

/** The query of a page of users. */
export const PageSchema = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 50, description: 'How many, up to 100.' }),
  after: Type.Optional(Type.String({ description: 'The next of the previous page.' })),
}, { additionalProperties: false })

/** A page of users, and the `after` of the next one if there are more. */
export interface UserPage {
  users: User[]
  next: string | null
}

/** Ways to find a user, always in the primary database: by the old row of a replica one would decide wrongly. */
export interface Finders<Found> {
  byId: (id: string, em?: EntityManager) => Promise<Found | null>
  /** By name or address, in any spelling. */
  byIdentifier: (identifier: string, em?: EntityManager) => Promise<Found | null>
  /** By id, name or address: no name looks like an id. */
  find: (idOrIdentifier: string, em?: EntityManager) => Promise<Found | null>
}

/**
 * What a password is checked against. `user` makes the user of the row, which takes time: only once the password is
 * right, so that the time of an answer does not tell whether there is such a user.
 */
export interface Stored {
  id: string
  passwordHash: string
  isDisabled: boolean
  user: () => User
}

export interface LookUp extends Finders<User> {
  stored: Finders<Stored>
  /** By the hash of a name or an address (`identifierKey`). */
  byKey: (key: string) => Promise<User | null>
  /**
   * Locks a user's row, as the first statement of a transaction that changes something of theirs, and gives the user as
   * they are then. Null for nobody.
   */
  locked: (tx: EntityManager, id: string) => Promise<User | null>
  /**
   * A user who is not disabled.
   * @throws {NotFound}
   */
  enabled: (id: string) => Promise<User>
  /**
   * The users who came before the one with the id `after`, the newest first: ids grow with time.
   * @throws {InputInvalid} for an `after` that is no id
   */
  page: (limit: number, after?: string, em?: EntityManager) => Promise<UserPage>
}

/** The column to look in, and the value to look for. Undefined for a text that no user can have. */
type Key = [property: 'id' | 'usernameKey' | 'emailKey', value: string] | undefined

export function createLookUp (database: Database, { identifiers }: UserSettings): LookUp {
  const select = (property: string) =>
    database.statement(({ query }) => query(User).select('*').where({ [property]: 'value' }))
  const statements = { id: select('id'), usernameKey: select('usernameKey'), emailKey: select('emailKey') }

  const lock = database.statement(({ query }) => query(User).update({ epoch: raw('epoch') }).where({ id: 'id' }))

  const idKey = (text: string): Key => isId(text) ? ['id', text] : undefined

  function nameKey (text: string): Key {
    const key = identifierKey(text)
    const kind = text.normalize('NFKC').includes('@') ? 'email' : 'username'
    if (!identifiers.includes(kind)) return
    return [kind === 'email' ? 'emailKey' : 'usernameKey', key]
  }

  function finders<Found> (make: (tx: EntityManager, row: Row) => Found): Finders<Found> {
    async function findBy (key: Key, em?: EntityManager): Promise<Found | null> {
      if (!key) return null
      const [property, value] = key
      return inTransactionOf(database, em)(async (tx) => {
        const [row] = await statements[property].all<Row>(tx, { value })
        return row ? make(tx, row) : null
      })
    }
    return {
      byId: (id, em) => findBy(idKey(id), em),
      byIdentifier: (identifier, em) => findBy(nameKey(identifier), em),
      find: (text, em) => findBy(idKey(text) ?? nameKey(text), em),
    }
  }

  const userOf = (tx: EntityManager, row: Row) => fromRow(tx, User, row)
  const users = finders(userOf)

  return {
    ...users,

    stored: finders((tx, row) => ({
      id: row.id,
      passwordHash: row.password_hash,
      isDisabled: row.disabled_at !== null,
      user: () => userOf(tx, row),
    })),

    async byKey (key) {
      return database.run(async (em) => {
        for (const property of ['emailKey', 'usernameKey'] as const) {
          const [row] = await statements[property].all<Row>(em, { value: key })
          if (row) return userOf(em, row)
        }
        return null
      })
    },

    async locked (tx, id) {
      return await lock.run(tx, { id }) === 1 ? users.byId(id, tx) : null
    },

    async enabled (id) {
      const found = await users.byId(id)
      if (!found || found.disabledAt) throw new NotFound()
      return found
    },

    async page (limit, after, em) {
      if (after !== undefined && !isId(after)) throw new InputInvalid('after must be the next of another part')
      const where = after === undefined ? {} : { id: { $lt: after } }
      const found = await inTransactionOf(database, em)(async (tx) => {
        const newestFirst = selectFrom<Row>(tx, User).select('*').where(where).orderBy({ id: 'desc' })
        const rows = await newestFirst.limit(limit + 1).execute('all', false)
        return rows.map((row) => userOf(tx, row))
      })
      const page = found.slice(0, limit)
      return { users: page, next: found.length > limit ? page.at(-1)!.id : null }
    },
  }
}

interface Row {
  id: string
  password_hash: string
  disabled_at: unknown
}
