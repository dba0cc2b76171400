import { defineEntity, p, raw, type EntityManager } from '@mikro-orm/core'
import type { Database } from '../database/database.ts'

/**
 * Rows by which transactions wait for each other, since each raises the number of one. `log`: it adds an entry to
 * the revocation log, under this number. `admins`: it takes the right of an admin away. `invitations`:
 * it invites somebody. `seals`: it seals events, or prunes them. One that needs several raises `log` last.
 * Nobody waits by `adminRoles`: its number is a digest of the roles by which it is stored who is an admin.
 */
export const rows = { log: 1, admins: 2, invitations: 3, seals: 4, adminRoles: 5 }

const RevisionSchema = defineEntity({
  name: 'AccountsRevision',
  tableName: 'accounts_revision',
  properties: {
    id: p.integer().primary().autoincrement(false).name('id'),
    revision: p.bigint('number').name('revision'),
  },
})

export class Revision extends RevisionSchema.class {}
RevisionSchema.setClass(Revision)

/** Raises the number of one of these rows: until the transaction ends, all others that raise it wait. */
export type Hold = (tx: EntityManager) => Promise<void>

export function createHold ({ statement }: Pick<Database, 'statement'>, id: number): Hold {
  const raise = statement(({ query }) => query(Revision).update({ revision: raw('revision + 1') }).where({ id }))
  return async (tx) => { await raise.run(tx, {}) }
}

/** Adds the rows to a table that somebody else has made: without them no transaction would raise a number. */
export async function ensureRows (em: EntityManager): Promise<void> {
  const found = await em.find(Revision, {}, { connectionType: 'write', disableIdentityMap: true })
  const there = found.map(({ id }) => id)
  const missing = Object.values(rows).filter((id) => !there.includes(id))
  if (missing.length > 0) await em.insertMany(Revision, missing.map((id) => ({ id, revision: 0 })))
}
