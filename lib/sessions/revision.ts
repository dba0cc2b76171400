import { defineEntity, p, type EntityManager } from '@mikro-orm/core'

/**
 * Two rows that transactions wait for, each of one kind, by raising its number. `log`: the newest entry of the revocation log
 * has this number. `admins`: a user loses the right of an admin. Who needs both takes `admins` first and `log` last.
 */
export const rows = { log: 1, admins: 2 }

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

/** Tables that somebody else has made are empty. Without these rows no revocation would be written, and no admin counted. */
export async function ensureRows (em: EntityManager): Promise<void> {
  const found = await em.find(Revision, {}, { connectionType: 'write', disableIdentityMap: true })
  const there = found.map(({ id }) => id)
  const missing = Object.values(rows).filter((id) => !there.includes(id))
  if (missing.length > 0) await em.insertMany(Revision, missing.map((id) => ({ id, revision: 0 })))
}
