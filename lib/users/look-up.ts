import type { EntityManager } from '@mikro-orm/core'
import type { SqlEntityManager } from '@mikro-orm/sqlite'
import { Type } from '@sinclair/typebox'
import type { Database } from '../database.ts'
import { User } from '../entities/user.ts'
import { InputInvalid } from '../errors.ts'
import { fromRow } from '../from-row.ts'
import { inside } from '../inside.ts'
import type { Settings } from '../settings.ts'
import { isId } from '../tokens/claims.ts'
import { identifierKey } from './identifiers.ts'

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
   * The users who came before the one with the id `after`, the newest first: ids grow with time.
   * @throws {InputInvalid} for an `after` that is no id
   */
  page: (limit: number, after?: string, em?: EntityManager) => Promise<UserPage>
}

/** How somebody is looked for, if that can be. */
type Where = { id: string } | { usernameKey: string } | { emailKey: string } | undefined

export function createLookUp (database: Database, { identifiers }: Pick<Settings, 'identifiers'>): LookUp {
  const id = (text: string): Where => isId(text) ? { id: text } : undefined

  function identifier (text: string): Where {
    const key = identifierKey(text)
    const kind = text.normalize('NFKC').includes('@') ? 'email' : 'username'
    if (!identifiers.includes(kind)) return
    return kind === 'email' ? { emailKey: key } : { usernameKey: key }
  }

  function finders<Found> (read: (tx: EntityManager, where: object) => Promise<Found | null>): Finders<Found> {
    const by = (whereOf: (text: string) => Where) => async (text: string, em?: EntityManager) => {
      const where = whereOf(text)
      return where ? inside(database, em)((tx) => read(tx, where)) : null
    }
    return { byId: by(id), byIdentifier: by(identifier), find: by((text) => id(text) ?? identifier(text)) }
  }

  return {
    ...finders((tx, where) => tx.findOne(User, where, { connectionType: 'write' })),

    stored: finders(async (tx, where) => {
      const row = await (tx as SqlEntityManager).createQueryBuilder(User, undefined, 'write').select('*').where(where).execute('get', false) as unknown as Row | null
      return row && { id: row.id, passwordHash: row.password_hash, isDisabled: row.disabled_at !== null, user: () => fromRow(tx, User, row) }
    }),

    async page (limit, after, em) {
      if (after !== undefined && !isId(after)) throw new InputInvalid('after must be the next of another part')
      const where = after === undefined ? {} : { id: { $lt: after } }
      const found = await inside(database, em)((tx) => tx.find(User, where, { orderBy: { id: 'desc' }, limit: limit + 1, connectionType: 'write' }))
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
