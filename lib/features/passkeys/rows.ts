import { createHash } from 'node:crypto'
import { raw, type EntityManager } from '@mikro-orm/core'
import type { Database } from '../../database/database.ts'
import { fromRow } from '../../database/statement.ts'
import { isId } from '../../tokens/claims.ts'
import { Passkey } from './entity.ts'

/** A passkey as plain data, with the id of its user. */
export interface PasskeyRow extends Omit<Passkey, 'user'> {
  userId: string
}

/** What an authenticator says of a passkey when it is used. */
export interface Use {
  signCount: number
  backedUp: boolean
}

/** The statements on passkeys. */
export interface Rows {
  /** By the id of its credential, in base64url. */
  find: (em: EntityManager, credentialId: string) => Promise<PasskeyRow | undefined>
  /** Those of a user, the oldest first. */
  ofUser: (em: EntityManager, userId: string) => Promise<PasskeyRow[]>
  /** False where somebody has a passkey of this credential already. */
  insert: (tx: EntityManager, row: Omit<PasskeyRow, 'credentialKey'>) => Promise<boolean>
  /**
   * Notes that a passkey was used. False where its counter does not go on, as a copy would have it, or it is gone:
   * synced ones count nothing that means anything, and others that do not count always say 0.
   */
  use: (tx: EntityManager, id: string, use: Use) => Promise<boolean>
  /** Gives a passkey of this user another name. False where they have none of this id. */
  rename: (em: EntityManager, userId: string, id: string, name: string) => Promise<boolean>
  /** The passkeys of this user are there for signing in alone from then on. */
  stopAsking: (tx: EntityManager, userId: string) => Promise<void>
  /** False where the user has no passkey of this id. */
  remove: (tx: EntityManager, userId: string, id: string) => Promise<boolean>
  /** False where there were none. */
  removeAll: (tx: EntityManager, userId: string) => Promise<boolean>
  /** Those that were added since then. False where there were none. */
  removeSince: (tx: EntityManager, userId: string, since: Date) => Promise<boolean>
}

export function createRows (database: Pick<Database, 'statement'>): Rows {
  const select = (where: object) =>
    database.statement(({ query }) => query(Passkey).select('*').where(where).orderBy({ id: 'asc' }))
  const byKey = select({ credentialKey: 'key' })
  const byUser = select({ user: 'userId' })
  const insert = database.statement(({ query, all }) =>
    query(Passkey).insert(all(Passkey)).onConflict('credentialKey').ignore())
  // A column of its own type would be given the name of the value instead of the value.
  const count = () => raw('?', ['signCount'])
  const use = (isBelow: object) => database.statement(({ query }) =>
    query(Passkey).update({ signCount: count(), backedUp: 'backedUp', lastUsedAt: 'now' })
      .where({ id: 'id', $or: [{ synced: true }, { signCount: isBelow }] }))
  const useCounting = use({ $lt: count() })
  const useUncounted = use({ $eq: raw('0') })

  return {
    async find (em, credentialId) {
      const [row] = await byKey.all<object>(em, { key: keyOf(credentialId) })
      return row && plain(em, row)
    },

    async ofUser (em, userId) {
      const rows = await byUser.all<object>(em, { userId })
      return rows.map((row) => plain(em, row))
    },

    async insert (tx, { userId, ...row }) {
      return await insert.run(tx, { ...row, user: userId, credentialKey: keyOf(row.credentialId) }) === 1
    },

    async use (tx, id, { signCount, backedUp }) {
      const statement = signCount > 0 ? useCounting : useUncounted
      return await statement.run(tx, { id, signCount, backedUp, now: new Date() }) === 1
    },

    rename: async (em, user, id, name) => isId(id) && await em.nativeUpdate(Passkey, { id, user }, { name }) === 1,
    async stopAsking (tx, user) { await tx.nativeUpdate(Passkey, { user }, { secondFactor: false }) },
    remove: async (tx, user, id) => isId(id) && await tx.nativeDelete(Passkey, { id, user }) === 1,
    removeAll: async (tx, user) => await tx.nativeDelete(Passkey, { user }) > 0,
    removeSince: async (tx, user, since) => await tx.nativeDelete(Passkey, { user, createdAt: { $gte: since } }) > 0,
  }
}

/** What a credential is found by: of its bytes, so that no other text of them is another credential. */
function keyOf (credentialId: string): string {
  return createHash('sha256').update(Buffer.from(credentialId, 'base64url')).digest('hex')
}

function plain (em: EntityManager, row: object): PasskeyRow {
  const { user, synced, backedUp, secondFactor, signCount, ...rest } = fromRow(em, Passkey, row)
  return {
    ...rest,
    userId: user as unknown as string,
    synced: Boolean(synced),
    backedUp: Boolean(backedUp),
    secondFactor: Boolean(secondFactor),
    signCount: Number(signCount),
  }
}
