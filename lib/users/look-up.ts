import type { EntityManager } from '@mikro-orm/core'
import { Type } from '@sinclair/typebox'
import type { Database } from '../database.ts'
import { User } from '../entities/user.ts'
import { InputInvalid } from '../errors.ts'
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

/** Finds users, always in the primary database: what is decided by an old row is decided wrongly. */
export interface LookUp {
  byId: (id: string, em?: EntityManager) => Promise<User | null>
  /** By what people sign in with, however it is typed. */
  byIdentifier: (identifier: string, em?: EntityManager) => Promise<User | null>
  /** By either: no name looks like an id. */
  find: (idOrIdentifier: string, em?: EntityManager) => Promise<User | null>
  /**
   * The users who came before the one with the id `after`, the newest first: ids grow with time.
   * @throws {InputInvalid} for an `after` that is no id
   */
  page: (limit: number, after?: string, em?: EntityManager) => Promise<UserPage>
}

export function createLookUp (database: Database, { identifiers }: Pick<Settings, 'identifiers'>): LookUp {
  function findOne (where: object, em?: EntityManager): Promise<User | null> {
    return inside(database, em)((tx) => tx.findOne(User, where, { connectionType: 'write' }))
  }

  async function byId (id: string, em?: EntityManager): Promise<User | null> {
    return isId(id) ? findOne({ id }, em) : null
  }

  async function byIdentifier (identifier: string, em?: EntityManager): Promise<User | null> {
    const key = identifierKey(identifier)
    const kind = identifier.normalize('NFKC').includes('@') ? 'email' : 'username'
    return identifiers.includes(kind) ? findOne(kind === 'email' ? { emailKey: key } : { usernameKey: key }, em) : null
  }

  return {
    byId,
    byIdentifier,
    find: (text, em) => (isId(text) ? byId : byIdentifier)(text, em),

    async page (limit, after, em) {
      if (after !== undefined && !isId(after)) throw new InputInvalid('after must be the next of another part')
      const where = after === undefined ? {} : { id: { $lt: after } }
      const found = await inside(database, em)((tx) => tx.find(User, where, { orderBy: { id: 'desc' }, limit: limit + 1, connectionType: 'write' }))
      const users = found.slice(0, limit)
      return { users, next: found.length > limit ? users.at(-1)!.id : null }
    },
  }
}
