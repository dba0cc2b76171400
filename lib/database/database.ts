import { setTimeout as pause } from 'node:timers/promises'
import type { EntityManager, MikroORM } from '@mikro-orm/core'
import type { SqlEntityManager } from '@mikro-orm/sqlite'
import { isError } from '../checks/any-error.ts'
import { borrow, type OrmOption } from './borrow.ts'
import type { Dialect, Notifications } from './dialect.ts'
import { open } from './open.ts'
import type { DatabaseSettings } from './options.ts'
import { pendingIn } from './pending.ts'
import { requireSkipped } from './schema-generator.ts'
import type { Schema } from './schema.ts'
import { createStatement, type Statement } from './statement.ts'
import { requireTables, tablesOf } from './tables.ts'
import { createTransactions, forkOf, type Transactions } from './transactions.ts'
import { nameOf } from './url.ts'
import { OptionsInvalid } from '../http/errors.ts'
import { isOurs } from '../http/our-error.ts'

/** `listen` and `notify` are there on PostgreSQL alone. */
export interface Database extends Transactions, Partial<Notifications> {
  /** The MikroORM that the app may work on users with: its own where that knows our entities, or ours. */
  orm: MikroORM
  /** The statement that `make` builds, with names in place of values. Its text is made once. */
  statement: (make: Parameters<typeof createStatement>[0]) => Statement
  /**
   * The time of the server, in ms since 1970. Absent where the database has no clock but that of this machine.
   * @throws {Unavailable}
   */
  clock?: () => Promise<number>
  close: () => Promise<void>
}

/** Of several processes that boot on one empty database all but one fail in their first migration, and try again. */
const mostBootTries = 10

/**
 * Opens the database, or shares the app's, and brings the tables of the accounts `name` up to date.
 * @throws {OptionsInvalid} that says what cannot be used, and why
 */
export async function openDatabase (
  { db, name, orm: given, schema = 'migrate' }: DatabaseSettings, tables: Schema
): Promise<Database> {
  const failure = failureOf({ db, orm: given })
  const { dialect, orm, connected, exposed, limits, settle, close } = await explained(failure,
    () => given ? borrow(given, name, tables) : open(db, name, tables))
  const transactions = createTransactions({ orm, connected, limits })

  try {
    if (given) requireSkipped(connected, name, droppedBy(orm, exposed === connected, { name, schema }))
    await explained(failure, async () => {
      await tryAgain(async () => {
        if (schema === 'migrate' && (await pendingIn(orm)).length > 0) await orm.migrator.up()
        await requireTables(orm)
        await tables.fill(forkOf(orm))
      }).catch(explainTakenTable)
      await settle()
    })
    return {
      orm: exposed,
      ...transactions,
      statement: (make) => createStatement(make, dialect),
      ...!dialect.clockIsOurs && { clock: () => transactions.run((em) => timeOf(em, dialect)) },
      close,
      ...await dialect.notifications?.(connected),
    }
  } catch (error) {
    await close()
    throw error
  }
}

/**
 * The tables that an app's MikroORM would drop unless it is told not to. If it knows our entities it keeps their
 * tables, which it may even make by itself, but not the table that notes which of our migrations have run.
 */
function droppedBy (
  orm: MikroORM, isKnown: boolean, { name, schema }: Pick<DatabaseSettings, 'name' | 'schema'>
): string[] {
  if (isKnown && schema === 'none') return []
  return [...isKnown ? [] : tablesOf(orm).map(({ name }) => name), `${name}_migrations`]
}

/** Says what to do where our first migration meets a table that somebody else has made. */
function explainTakenTable (error: Error): never {
  if (error.name !== 'TableExistsException') throw error
  throw new Error(`${error.message}, and our migrations have not made it. ` +
    'Was it orm.schema.create() or orm.schema.update() of a MikroORM that knows our entities? ' +
    "Then either that makes our tables, and the option schema is 'none'; " +
    'or we do: give it the option schemaGenerator: { skipTables: [/^accounts_/] }, ' +
    'and drop what it has made, if nobody is in it', { cause: error })
}

/** The time of the primary server, and of no replica. */
async function timeOf (em: EntityManager, { clock }: Dialect): Promise<number> {
  const [{ now }] = await (em as SqlEntityManager).getConnection('write').execute<[{ now: unknown }]>(clock)
  return Number(now)
}

/**
 * True for a broken unique key, of a transaction of ours or of the host's. Compared by name, since an app may hold a
 * second copy of MikroORM.
 */
export function isDuplicate (error: unknown): error is Error & { code?: unknown } {
  const broken = isOurs(error) ? error.cause : error
  return isError(broken) && broken.name === 'UniqueConstraintViolationException'
}

/** The beginning of the message of a database that cannot be used. */
export function failureOf ({ db, orm }: { db: string, orm?: OrmOption | undefined }): string {
  return orm ? 'orm cannot be used' : `db (or ACCOUNTS_DATABASE_URL) cannot be used, ${nameOf(db)}`
}

/**
 * Runs `act`, whose errors that are not ours become one that says what failed, and why. The message of `pg` is empty
 * for a host with several addresses, so the code is added.
 * @throws {OptionsInvalid}
 */
export async function explained<Result> (failure: string, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act()
  } catch (cause) {
    if (isOurs(cause)) throw cause
    const { message, code } = cause as { message: string, code?: unknown }
    throw new OptionsInvalid(`${failure}: ${[message, code].filter(Boolean).join(', ')}`, { cause })
  }
}

async function tryAgain (work: () => Promise<void>, triesLeft = mostBootTries): Promise<void> {
  return work().catch(async (error) => {
    if (triesLeft === 1) throw error
    await pause(50 + Math.random() * 100)
    return tryAgain(work, triesLeft - 1)
  })
}
