import { raw, type EntityManager } from '@mikro-orm/core'
import type { Database } from '../../database/database.ts'
import { fromRow, selectFrom } from '../../database/statement.ts'
import { Totp } from './entity.ts'

/** How many wrong codes in a row shut them (NIST SP 800-63B-4 §3.2.2). */
const mostFailures = 100

/** The app of a user, as its row has it. */
export type TotpRow = Omit<Totp, 'user' | '[OptionalProps]'>

/** What of a row is another one afterwards. */
export interface Success extends Pick<TotpRow, 'sealed' | 'keyId' | 'lastStep'> {
  userId: string
  /** The seed as it was read: whatever app is there since is another one. */
  before: string
}

/** A seed that another key has sealed, and whose it is. */
export interface OlderRow extends Pick<TotpRow, 'sealed' | 'keyId'> { user: string }

/** Authenticator apps in the database. */
export interface TotpRows {
  find: (em: EntityManager, userId: string) => Promise<TotpRow | undefined>
  /** Stores an app whose first code was of this step. Whoever calls it has locked the user. */
  insert: (tx: EntityManager, userId: string, app: Pick<TotpRow, 'sealed' | 'keyId' | 'lastStep'>) => Promise<void>
  /** Takes an app away. False where there was none. */
  remove: (tx: EntityManager, userId: string) => Promise<boolean>
  /** Takes an app away that was set up since then. False where there was none. */
  removeSince: (tx: EntityManager, userId: string, since: Date) => Promise<boolean>
  /**
   * Pays for one try, before the code is judged: so no number of tries at once gets past the limit. False beyond it,
   * and where there is no app. What was tried under another password than that of `passwordChangedAt` counts no more.
   */
  pay: (em: EntityManager, userId: string, passwordChangedAt: Date) => Promise<boolean>
  /** After a wrong code: true once, where codes are shut by now. */
  noteShut: (em: EntityManager, userId: string) => Promise<boolean>
  /** Uses a step up: of many at once one alone succeeds. Wrong codes count from none again. */
  succeed: (tx: EntityManager, success: Success) => Promise<boolean>
  /** The next apps after the one of this user, in the order of users' ids, whose seed another key has sealed. */
  older: (em: EntityManager, keyId: string, limit: number, after?: string) => Promise<OlderRow[]>
  /** Stores a seed that is sealed anew. False where another app is there since. */
  reseal: (em: EntityManager, next: Omit<Success, 'lastStep'>) => Promise<boolean>
  /** Takes codes again. */
  reopen: (tx: EntityManager, userId: string) => Promise<void>
}

export function createTotpRows (database: Pick<Database, 'statement'>): TotpRows {
  const find = database.statement(({ query }) => query(Totp).select('*').where({ user: 'userId' }))
  const insert = database.statement(({ query, all }) => query(Totp).insert(all(Totp)))
  const forgive = database.statement(({ query }) =>
    query(Totp).update({ failures: 0 }).where({ user: 'userId', countedFor: { $ne: 'passwordChangedAt' } }))
  const pay = database.statement(({ query }) =>
    query(Totp).update({ failures: raw('failures + 1'), countedFor: 'passwordChangedAt' })
      .where({ user: 'userId', failures: { $lt: mostFailures } }))
  const noteShut = database.statement(({ query }) =>
    query(Totp).update({ failures: mostFailures + 1 }).where({ user: 'userId', failures: mostFailures }))
  const succeed = database.statement(({ query }) =>
    query(Totp).update({ lastStep: 'lastStep', failures: 0, lastUsedAt: 'now', sealed: 'sealed', keyId: 'keyId' })
      .where({ user: 'userId', lastStep: { $lt: 'lastStep' }, sealed: 'before' }))
  const reseal = database.statement(({ query }) =>
    query(Totp).update({ sealed: 'sealed', keyId: 'keyId' }).where({ user: 'userId', sealed: 'before' }))
  const reopen = database.statement(({ query }) =>
    query(Totp).update({ failures: 0 }).where({ user: 'userId', failures: { $gt: 0 } }))

  return {
    async find (em, userId) {
      const [row] = await find.all<object>(em, { userId })
      return row && fromRow(em, Totp, row)
    },

    async insert (tx, userId, app) {
      const now = new Date()
      await insert.run(tx, { ...app, user: userId, failures: 0, countedFor: null, createdAt: now, lastUsedAt: null })
    },

    remove: async (tx, userId) => await tx.nativeDelete(Totp, { user: userId }) > 0,
    removeSince: async (tx, user, since) => await tx.nativeDelete(Totp, { user, createdAt: { $gte: since } }) > 0,

    async pay (em, userId, passwordChangedAt) {
      await forgive.run(em, { userId, passwordChangedAt })
      return await pay.run(em, { userId, passwordChangedAt }) === 1
    },

    noteShut: async (em, userId) => await noteShut.run(em, { userId }) === 1,
    succeed: async (tx, success) => await succeed.run(tx, { ...success, now: new Date() }) === 1,
    reseal: async (em, next) => await reseal.run(em, { ...next }) === 1,

    older: (em, keyId, limit, after) => selectFrom<OlderRow>(em, Totp).select('*')
      .where({ keyId: { $ne: keyId }, ...after !== undefined && { user: { $gt: after } } })
      .orderBy({ user: 'asc' }).limit(limit).execute('all'),

    async reopen (tx, userId) { await reopen.run(tx, { userId }) },
  }
}
