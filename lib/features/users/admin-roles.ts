import { createHash } from 'node:crypto'
import type { EntityManager } from '@mikro-orm/core'
import { fromRow, selectFrom } from '../../database/statement.ts'
import { createHold, Revision, rows } from '../../sessions/revision.ts'
import { User } from '../../users/entity.ts'
import type { Spine } from '../spine.ts'

const pageSize = 500

/** Long enough to read a million users. */
const mostRefillMs = 600_000

/** It is less than all ids. */
const leastId = '00000000-0000-0000-0000-000000000000'

/**
 * Makes what is stored of users (`isAdmin`) agree with the roles that make admins, where these are others than those of
 * the last start. Called before the app is ready. Where they are the same, it reads one row.
 * @throws {Unavailable}
 */
export type RefillAdmins = () => Promise<void>

/**
 * The names in 31 bits, which the number of a row holds. The roles of the default are 0, as the row is at first: by
 * these the migrations have filled the column.
 */
export function digestOf (names: Iterable<string>): number {
  const sorted = JSON.stringify([...new Set(names)].sort())
  if (sorted === '["admin"]') return 0
  return Math.max(1, createHash('sha256').update(sorted).digest().readUInt32BE() >>> 1)
}

export function createRefillAdmins (
  { database, users: { isAdmin, lookUp, permissions } }: Pick<Spine, 'database' | 'users'>
): RefillAdmins {
  const digest = digestOf(permissions.rolesWith('users:roles'))
  const hold = createHold(database, rows.admins)
  const page = database.statement(({ query }) => query(User)
    .select(['id', 'kind', 'roles', 'isAdmin', 'disabledAt', 'closesAt'])
    .where({ id: { $gt: 'after' } }).orderBy({ id: 'asc' }).limit(pageSize))

  async function isDone (em: EntityManager): Promise<boolean> {
    const [row] = await selectFrom<Revision>(em, Revision).select('*').where({ id: rows.adminRoles }).execute('all')
    // The driver of PostgreSQL gives a text.
    return Number(row!.revision) === digest
  }

  /** Looks once more, with the row locked: somebody may have changed the user since the page was read. */
  async function correct (tx: EntityManager, id: string): Promise<void> {
    const user = await lookUp.locked(tx, id)
    if (user) await tx.nativeUpdate(User, { id }, { isAdmin: isAdmin(user) })
  }

  async function refill (tx: EntityManager): Promise<void> {
    // Other processes that start wait here, and then find that it is done. So does who ceases to be an admin.
    await hold(tx)
    if (await isDone(tx)) return

    for (let after = leastId, size = pageSize; size === pageSize;) {
      const users = (await page.all<object>(tx, { after })).map((row) => fromRow(tx, User, row))
      const wrong = users.filter((user) => Boolean(user.isAdmin) !== isAdmin(user))
      for (const { id } of wrong) await correct(tx, id)
      after = users.at(-1)?.id ?? after
      size = users.length
    }
    await tx.nativeUpdate(Revision, { id: rows.adminRoles }, { revision: digest })
  }

  return async () => {
    if (await database.run(isDone)) return
    await database.transaction(refill, mostRefillMs)
  }
}
