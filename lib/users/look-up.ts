import type { EntityManager } from '@mikro-orm/core'
import { Type } from '@sinclair/typebox'
import type { Database } from '../database/database.ts'
import { selectFrom } from '../database/statement.ts'
import { inTransactionOf } from '../database/transaction.ts'
import { User } from './entity.ts'
import { InputInvalid } from '../http/errors.ts'
import { NotFound } from './errors.ts'
import { fromRow } from '../database/from-row.ts'
import { isId } from '../tokens/claims.ts'
import { identifierKey } from './identifiers.ts'
import type { UserSettings } from './options.ts'

/** Which part of all users. */
export const PageSchema = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 50, description: 'How many, up to 100.' }),
  after: Type.Optional(Type.String({ description: 'The next of the part before.' })),
}, { additionalProperties: false })

/** A part of all users, and the last id of it if there are more. */
export interface UserPage {
  users: User[]
  next: string | null
}

/** Ways to find somebody, always in the primary database: what is decided by an old row is decided wrongly. */
export interface Finders<Found> {
  byId: (id: string, em?: EntityManager) => Promise<Found | null>
  /** By what people sign in with, however it is typed. */
  byIdentifier: (identifier: string, em?: EntityManager) => Promise<Found | null>
  /** By either: no name looks like an id. */
  find: (idOrIdentifier: string, em?: EntityManager) => Promise<Found | null>
}

/**
 * What a password is checked against. It takes time to make a user of a row, and there is none to make of nobody's: that
 * waits for the password to be right.
 */
export interface Stored {
  id: string
  passwordHash: string
  isDisabled: boolean
  user: () => User
}

export interface LookUp extends Finders<User> {
  stored: Finders<Stored>
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

/** What somebody is looked for by, if they can be. */
type Key = [property: 'id' | 'usernameKey' | 'emailKey', value: string] | undefined

export function createLookUp (database: Database, { identifiers }: UserSettings): LookUp {
  const by = (property: string) => database.statement(({ query }) => query(User).select('*').where({ [property]: 'value' }))
  const statements = { id: by('id'), usernameKey: by('usernameKey'), emailKey: by('emailKey') }

  const id = (text: string): Key => isId(text) ? ['id', text] : undefined

  function identifier (text: string): Key {
    const key = identifierKey(text)
    const kind = text.normalize('NFKC').includes('@') ? 'email' : 'username'
    if (!identifiers.includes(kind)) return
    return [kind === 'email' ? 'emailKey' : 'usernameKey', key]
  }

  function finders<Found> (make: (tx: EntityManager, row: Row) => Found): Finders<Found> {
    const by = (keyOf: (text: string) => Key) => async (text: string, em?: EntityManager) => {
      const key = keyOf(text)
      if (!key) return null
      const [property, value] = key
      return inTransactionOf(database, em)(async (tx) => {
        const [row] = await statements[property].all<Row>(tx, { value })
        return row ? make(tx, row) : null
      })
    }
    return { byId: by(id), byIdentifier: by(identifier), find: by((text) => id(text) ?? identifier(text)) }
  }

  const user = (tx: EntityManager, row: Row) => fromRow(tx, User, row)
  const users = finders(user)

  return {
    ...users,

    stored: finders((tx, row) => ({
      id: row.id, passwordHash: row.password_hash, isDisabled: row.disabled_at !== null, user: () => user(tx, row),
    })),

    async enabled (id) {
      const found = await users.byId(id)
      if (!found || found.disabledAt) throw new NotFound()
      return found
    },

    async page (limit, after, em) {
      if (after !== undefined && !isId(after)) throw new InputInvalid('after must be the next of another part')
      const where = after === undefined ? {} : { id: { $lt: after } }
      const found = await inTransactionOf(database, em)(async (tx) => {
        const rows = await selectFrom<Row>(tx, User).select('*').where(where).orderBy({ id: 'desc' }).limit(limit + 1).execute('all', false)
        return rows.map((row) => user(tx, row))
      })
      const users = found.slice(0, limit)
      return { users, next: found.length > limit ? users.at(-1)!.id : null }
    },
  }
}

interface Row {
  id: string
  password_hash: string
  disabled_at: unknown
}
