import { setTimeout as pause } from 'node:timers/promises'
import type { EntityManager, MikroORM } from '@mikro-orm/core'
import type { SqlEntityManager } from '@mikro-orm/sqlite'
import { isError } from '../checks/any-error.ts'
import { borrow, type OrmOption } from './borrow.ts'
import { createCommits, type Commits } from './commits.ts'
import type { Dialect, Notifications } from './dialect.ts'
import { open } from './open.ts'
import type { DatabaseSettings } from './options.ts'
import { isBusy, isLocked, isReadOnly, withoutValues, within } from './patience.ts'
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
  /** What the app may work on users with: see `Opened`. */
  orm: MikroORM
  /**
   * Runs `work` on an entity manager of its own, outside any transaction of the request's. While a row, a table or a file
   * is locked it is run again and again, so it writes once: in one statement or one transaction.
   * @throws {ConstraintViolated} `ACCOUNTS_CONSTRAINT_VIOLATED` where a constraint or a trigger refuses
   * @throws {Unavailable} `ACCOUNTS_UNAVAILABLE` at the deadline (see `msLeft`), and for every other failure
   */
  run: <Result>(work: (em: EntityManager) => Promise<Result>) => Promise<Result>
  /**
   * Runs `work` in a transaction of its own, whatever transaction the caller is in, and commits what it wrote: all of it
   * or nothing. Every transaction of ours begins here. While others hold its locks it is run again, as a whole. What takes
   * longer than 10 seconds says so by `mostMs`.
   * @throws {ConstraintViolated} `ACCOUNTS_CONSTRAINT_VIOLATED` where a constraint or a trigger refuses
   * @throws {Unavailable} `ACCOUNTS_UNAVAILABLE` at the deadline (see `msLeft`), and for every other failure
   */
  transaction: <Result>(work: (tx: EntityManager) => Promise<Result>, mostMs?: number) => Promise<Result>
  /** What `make` builds, with names in place of values, as a statement that is made once: see there. */
  statement: (make: Parameters<typeof createStatement>[0]) => Statement
  /** An entity manager of ours in a transaction of the host's. */
  join: (host: EntityManager) => EntityManager
  /** An entity manager of the host's in a transaction of ours. Absent where there is no host's. */
  lend?: (em: EntityManager) => EntityManager
  /** Waits for transactions of ours or of the host's. */
  commits: Commits
  /**
   * The time of the server, in ms since 1970. Absent where the database has no clock but that of this machine.
   * @throws {Unavailable}
   */
  clock?: () => Promise<number>
  close: () => Promise<void>
}

/** The longest pause before the second try on what is locked, and before each try of whoever is first in the line for a file. */
const shortPauseMs = 5

/** The longest pause before a later try. */
const mostPauseMs = 250

/** Several processes that boot on one empty database break each other's first migration: all but one try again. */
const mostBootTries = 10

/**
 * Opens the database, or shares the app's, and brings the tables of the accounts `name` up to date.
 * @throws {OptionsInvalid} that says what cannot be used, and why
 */
export async function openDatabase (
  { db, name, orm: given, schema = 'migrate' }: DatabaseSettings, tables: Schema
): Promise<Database> {
  const what = whatOf({ db, orm: given })
  const { dialect, orm, connected, shown, limits, settle, close } = await sayingWhy(what,
    () => given ? borrow(given, name, tables) : open(db, name, tables))
  const fork = () => forkOf(orm)
  const retry = createRetry()
  const run: Database['run'] = (work) => retry(() => work(fork()))

  try {
    if (given) requireSkipped(connected, name, droppedBy(orm, shown === connected, { name, schema }))
    await sayingWhy(what, async () => {
      await tryAgain(async () => {
        if (schema === 'migrate' && (await pendingIn(orm)).length > 0) await orm.migrator.up()
        await requireTables(orm)
        await tables.fill(fork())
      }).catch(orTaken)
      await settle()
    })
    return {
      orm: shown,
      run,
      transaction: (work, mostMs) => retry(() => fork().transactional(work, { ...limits }), mostMs),
      statement: (make) => createStatement(make, dialect),
      join: (host) => joining(orm, host),
      ...connected !== orm && { lend: (em: EntityManager) => joining(connected, em) },
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
 * The tables that an app's MikroORM would drop unless it is told not to. If it knows our entities it keeps those, and their
 * tables may be its own to make, but not the table that notes which of our migrations have run.
 */
function droppedBy (orm: MikroORM, isKnown: boolean, { name, schema }: Pick<DatabaseSettings, 'name' | 'schema'>): string[] {
  if (isKnown && schema === 'none') return []
  return [...isKnown ? [] : tablesOf(orm).map(({ name }) => name), `${name}_migrations`]
}

/** A table that is in the way of our first migration has been made by somebody else. */
function orTaken (error: Error): never {
  if (error.name !== 'TableExistsException') throw error
  throw new Error(`${error.message}, and our migrations have not made it. Was it orm.schema.create() or orm.schema.update() of a MikroORM ` +
    "that knows our entities? Then either that makes our tables, and the option schema is 'none'; or we do: give it the option " +
    'schemaGenerator: { skipTables: [/^accounts_/] }, and drop what it has made, if nobody is in it', { cause: error })
}

/** Of the server that decides, and of no replica. */
async function timeOf (em: EntityManager, { clock }: Dialect): Promise<number> {
  const [{ now }] = await (em as SqlEntityManager).getConnection('write').execute<[{ now: unknown }]>(clock)
  return Number(now)
}

/** Of its own, whatever transaction the caller is in. */
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
 * True for a broken unique key, of a transaction of ours or of the host's. Compared by name, since an app may hold a second
 * copy of MikroORM.
 */
export function isDuplicate (error: unknown): error is Error & { code?: unknown } {
  const broken = isOurs(error) ? error.cause : error
  return isError(broken) && broken.name === 'UniqueConstraintViolationException'
}

type Retry = <Result>(work: () => Promise<Result>, mostMs?: number) => Promise<Result>

/**
 * Tries again what was not done because somebody else was at it, until the deadline. An SQLite file that another process
 * keeps busy is tried for one after the other: if all did, each by chance, some would be out of luck for all their time.
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
      for (let longestPauseMs = shortPauseMs; ; longestPauseMs = Math.min(2 * longestPauseMs, isFirst ? shortPauseMs : mostPauseMs)) {
        try {
          if (left() <= 0) throw new Unavailable()
          return await within(left(), work())
        } catch (cause) {
          if (isOurs(cause)) throw cause
          if (isViolation(cause)) throw new ConstraintViolated({ cause: withoutValues(cause) })
          // The connections that were open before the failover are used no more.
          const isMoved: boolean = isReadOnly(cause) && !hasMoved
          if (!(isMoved || isBusy(cause))) throw new Unavailable({ cause: withoutValues(cause) })
          hasMoved ||= isMoved
          if (isLocked(cause) && !isFirst) return within(left(), inLine(() => tryAgainAndAgain(true)))
        }
        await pause(Math.random() * longestPauseMs)
      }
    }

    return tryAgainAndAgain(false)
  }
}

/** What cannot be used, if it cannot. */
export function whatOf ({ db, orm }: { db: string, orm?: OrmOption | undefined }): string {
  return orm ? 'orm cannot be used' : `db (or ACCOUNTS_DATABASE_URL) cannot be used, ${nameOf(db)}`
}

/** Of a host with several addresses `pg` tells no more than a code. */
export async function sayingWhy<Result> (what: string, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act()
  } catch (cause) {
    if (isOurs(cause)) throw cause
    const { message, code } = cause as { message: string, code?: unknown }
    throw new OptionsInvalid(`${what}: ${[message, code].filter(Boolean).join(', ')}`, { cause })
  }
}

async function tryAgain (work: () => Promise<void>, triesLeft = mostBootTries): Promise<void> {
  return work().catch(async (error) => {
    if (triesLeft === 1) throw error
    await pause(50 + Math.random() * 100)
    return tryAgain(work, triesLeft - 1)
  })
}
