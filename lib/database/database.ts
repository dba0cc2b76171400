import { setTimeout as pause } from 'node:timers/promises'
import type { EntityManager, MikroORM } from '@mikro-orm/core'
import type { SqlEntityManager } from '@mikro-orm/sqlite'
import { isError } from '../checks/any-error.ts'
import { borrow, type OrmOption } from './borrow.ts'
import { createCommits, type Commits } from './commits.ts'
import type { Dialect, Notifications } from './dialect.ts'
import { open } from './open.ts'
import type { DatabaseSettings } from './options.ts'
import { isBusy, isLocked, isReadOnly, withoutValues, withTimeout } from './patience.ts'
import { pendingIn } from './pending.ts'
import { requireSkipped } from './schema-generator.ts'
import type { Schema } from './schema.ts'
import { createStatement, type Statement } from './statement.ts'
import { requireTables, tablesOf } from './tables.ts'
import { isViolation } from './violations.ts'
import { nameOf } from './url.ts'
import { msLeft } from '../http/deadline.ts'
import { ConstraintViolated } from './errors.ts'
import { OptionsInvalid, Unavailable } from '../http/errors.ts'
import { isOurs } from '../http/our-error.ts'

/** `listen` and `notify` are there on PostgreSQL alone. */
export interface Database extends Partial<Notifications> {
  /** The MikroORM that the app may work on users with: its own where that knows our entities, or ours. */
  orm: MikroORM
  /**
   * Runs `work` on an entity manager of its own, outside any transaction of the request's. While a row, a table or a
   * file is locked it is run again and again, so it may write in one statement or one transaction only.
   * @throws {ConstraintViolated} `ACCOUNTS_CONSTRAINT_VIOLATED` where a constraint or a trigger refuses
   * @throws {Unavailable} `ACCOUNTS_UNAVAILABLE` at the deadline (`msLeft`), and for every other failure
   */
  run: <Result>(work: (em: EntityManager) => Promise<Result>) => Promise<Result>
  /**
   * Runs `work` in a transaction of its own, whatever transaction the caller is in, and commits what it wrote: all of
   * it or nothing. Every transaction of ours begins here. While others hold its locks it is run again, as a whole. What
   * takes longer than 10 seconds says so by `mostMs`.
   * @throws {ConstraintViolated} `ACCOUNTS_CONSTRAINT_VIOLATED` where a constraint or a trigger refuses
   * @throws {Unavailable} `ACCOUNTS_UNAVAILABLE` at the deadline (`msLeft`), and for every other failure
   */
  transaction: <Result>(work: (tx: EntityManager) => Promise<Result>, mostMs?: number) => Promise<Result>
  /** The statement that `make` builds, with names in place of values. Its text is made once. */
  statement: (make: Parameters<typeof createStatement>[0]) => Statement
  /** An entity manager of ours in a transaction of the host's. */
  join: (host: EntityManager) => EntityManager
  /** An entity manager of the host's in a transaction of ours. Absent where the host has no MikroORM. */
  hostManagerIn?: (tx: EntityManager) => EntityManager
  /** Calls back after transactions of ours or of the host's. */
  commits: Commits
  /**
   * The time of the server, in ms since 1970. Absent where the database has no clock but that of this machine.
   * @throws {Unavailable}
   */
  clock?: () => Promise<number>
  close: () => Promise<void>
}

/** The longest pause before the second try on what is locked, and before each try of the first in line for a file. */
const shortPauseMs = 5

/** The longest pause before a later try. */
const mostPauseMs = 250

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
  const fork = () => forkOf(orm)
  const retry = createRetry()
  const run: Database['run'] = (work) => retry(() => work(fork()))

  try {
    if (given) requireSkipped(connected, name, droppedBy(orm, exposed === connected, { name, schema }))
    await explained(failure, async () => {
      await tryAgain(async () => {
        if (schema === 'migrate' && (await pendingIn(orm)).length > 0) await orm.migrator.up()
        await requireTables(orm)
        await tables.fill(fork())
      }).catch(explainTakenTable)
      await settle()
    })
    return {
      orm: exposed,
      run,
      transaction: (work, mostMs) => retry(() => fork().transactional(work, { ...limits }), mostMs),
      statement: (make) => createStatement(make, dialect),
      join: (host) => joining(orm, host),
      ...connected !== orm && { hostManagerIn: (tx: EntityManager) => joining(connected, tx) },
      commits: createCommits([orm.em, connected.em]),
      ...!dialect.clockIsOurs && { clock: () => run((em) => timeOf(em, dialect)) },
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

/** An entity manager that joins no transaction of its caller. */
function forkOf ({ em }: MikroORM): EntityManager {
  return em.fork({ disableContextResolution: true })
}

/** An entity manager of one MikroORM in a transaction of another's, on the same connection. */
function joining (orm: MikroORM, other: EntityManager): EntityManager {
  const em = forkOf(orm)
  em.setTransactionContext(other.getTransactionContext())
  return em
}

/**
 * True for a broken unique key, of a transaction of ours or of the host's. Compared by name, since an app may hold a
 * second copy of MikroORM.
 */
export function isDuplicate (error: unknown): error is Error & { code?: unknown } {
  const broken = isOurs(error) ? error.cause : error
  return isError(broken) && broken.name === 'UniqueConstraintViolationException'
}

type Retry = <Result>(work: () => Promise<Result>, mostMs?: number) => Promise<Result>

/**
 * Tries again, until the deadline, what was refused because somebody else held a lock. For an SQLite file that another
 * process keeps busy only the first in a line tries: if all tried at random, some would find it busy until their
 * deadline.
 */
function createRetry (): Retry {
  let line: Promise<unknown> = Promise.resolve()

  function inLine<Result> (act: () => Promise<Result>): Promise<Result> {
    const turn = line.then(act)
    line = turn.catch(() => {})
    return turn
  }

  return async (work, mostMs = msLeft()) => {
    const deadline = performance.now() + mostMs
    const left = () => deadline - performance.now()
    let hasMoved = false

    async function tryAgainAndAgain (isFirst: boolean): ReturnType<typeof work> {
      const limitMs = isFirst ? shortPauseMs : mostPauseMs
      for (let longestPauseMs = shortPauseMs; ; longestPauseMs = Math.min(2 * longestPauseMs, limitMs)) {
        try {
          if (left() <= 0) throw new Unavailable()
          return await withTimeout(left(), work())
        } catch (cause) {
          if (isOurs(cause)) throw cause
          if (isViolation(cause)) throw new ConstraintViolated({ cause: withoutValues(cause) })
          // After a failover the next try has another connection: those that were open before are used no more.
          const isMoved: boolean = isReadOnly(cause) && !hasMoved
          if (!(isMoved || isBusy(cause))) throw new Unavailable({ cause: withoutValues(cause) })
          hasMoved ||= isMoved
          if (isLocked(cause) && !isFirst) return withTimeout(left(), inLine(() => tryAgainAndAgain(true)))
        }
        await pause(Math.random() * longestPauseMs)
      }
    }

    return tryAgainAndAgain(false)
  }
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
