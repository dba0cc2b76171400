import { createHash } from 'node:crypto'
import type { EntityManager } from '@mikro-orm/core'
import type { Database } from '../../database/database.ts'
import { fromRow } from '../../database/statement.ts'
import { isId } from '../../tokens/claims.ts'
import { Identity } from './entity.ts'

/** An identity as plain data, with the id of its user. */
export interface IdentityRow extends Omit<Identity, 'user'> {
  userId: string
}

/** Who it is, anywhere. */
export interface Subject {
  issuer: string
  subject: string
}

/** What is new of an identity whenever it signs in. */
export type Use = Pick<IdentityRow, 'email' | 'tokens' | 'keyId'>

/** The statements on identities. */
export interface Rows {
  find: (em: EntityManager, subject: Subject) => Promise<IdentityRow | undefined>
  /** Those of a user, the oldest first. */
  ofUser: (em: EntityManager, userId: string) => Promise<IdentityRow[]>
  /** False where somebody has this identity already. */
  insert: (tx: EntityManager, row: Omit<IdentityRow, 'subjectKey'>) => Promise<boolean>
  /** Notes that an identity of a user was used. False where it is theirs no more. */
  use: (tx: EntityManager, userId: string, id: string, use: Use) => Promise<boolean>
  /** Puts tokens in the place of those that were read. False where there are others by now. */
  exchangeTokens: (
    em: EntityManager, read: Pick<IdentityRow, 'id' | 'tokens'>, fresh: Pick<Use, 'tokens' | 'keyId'>
  ) => Promise<boolean>
  /** False where the user has no identity of this id. */
  remove: (tx: EntityManager, userId: string, id: string) => Promise<boolean>
  /** Takes those away that a user has had since then, all by default. */
  removeSince: (tx: EntityManager, userId: string, since?: Date) => Promise<IdentityRow[]>
}

export function createRows (database: Pick<Database, 'statement'>): Rows {
  const select = (where: object) =>
    database.statement(({ query }) => query(Identity).select('*').where(where).orderBy({ id: 'asc' }))
  const byKey = select({ subjectKey: 'key' })
  const byUser = select({ user: 'userId' })
  const insert = database.statement(({ query, all }) =>
    query(Identity).insert(all(Identity)).onConflict('subjectKey').ignore())

  async function ofUser (em: EntityManager, userId: string): Promise<IdentityRow[]> {
    const rows = await byUser.all<object>(em, { userId })
    return rows.map((row) => plain(em, row))
  }

  return {
    ofUser,

    async find (em, subject) {
      const [row] = await byKey.all<object>(em, { key: keyOf(subject) })
      return row && plain(em, row)
    },

    async insert (tx, { userId, ...row }) {
      return await insert.run(tx, { ...row, user: userId, subjectKey: keyOf(row) }) === 1
    },

    use: async (tx, user, id, use) =>
      await tx.nativeUpdate(Identity, { id, user }, { ...use, lastUsedAt: new Date() }) === 1,

    exchangeTokens: async (em, { id, tokens }, fresh) => await em.nativeUpdate(Identity, { id, tokens }, fresh) === 1,

    remove: async (tx, user, id) => isId(id) && await tx.nativeDelete(Identity, { id, user }) === 1,

    async removeSince (tx, userId, since = new Date(0)) {
      const found = (await ofUser(tx, userId)).filter(({ createdAt }) => createdAt >= since)
      await tx.nativeDelete(Identity, { id: { $in: found.map(({ id }) => id) } })
      return found
    },
  }
}

/** Neither part has a NUL, so that no other pair has the same text. */
function keyOf ({ issuer, subject }: Subject): string {
  return createHash('sha256').update(`${issuer}\0${subject}`).digest('hex')
}

function plain (em: EntityManager, row: object): IdentityRow {
  const { user, ...rest } = fromRow(em, Identity, row)
  return { ...rest, userId: user as unknown as string }
}
