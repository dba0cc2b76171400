import { setTimeout as pause } from 'node:timers/promises'
import type { EntityManager, EventSubscriber, MikroORM, TransactionOptions } from '@mikro-orm/core'
import { msLeft, withTimeout } from '../http/deadline.ts'
import { Unavailable } from '../http/errors.ts'
import { isOurs } from '../http/our-error.ts'
import { ConstraintViolated } from './errors.ts'
import { isBusy, isLocked, isReadOnly, withoutValues } from './patience.ts'
import { isViolation } from './violations.ts'

/** The longest pause before the second try on what is locked, and before each try of the first in line for a file. */
const shortPauseMs = 5

/** The longest pause before a later try. */
const mostPauseMs = 250

/** Work on the database: in transactions of ours or of the host's, or outside any. */
export interface Transactions {
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
  /** An entity manager of ours in a transaction of the host's. */
  join: (host: EntityManager) => EntityManager
  /** An entity manager of the host's in a transaction of ours. Absent where the host has no MikroORM. */
  hostManagerIn?: (tx: EntityManager) => EntityManager
  /** Calls back after transactions of ours or of the host's. */
  commits: Commits
}

/** The option of every service that reads or writes. */
export interface InTransaction {
  /**
   * An entity manager of your own. If it has an open transaction, the service joins it, and its changes take effect
   * when you commit.
   */
  em?: EntityManager
}

/** Ours, and the MikroORM that has the connections: an app's, or the same. */
interface Connected {
  orm: MikroORM
  connected: MikroORM
  /** What each transaction of ours begins with. */
  limits?: TransactionOptions | undefined
}

export function createTransactions ({ orm, connected, limits }: Connected): Transactions {
  const retry = createRetry()
  return {
    run: (work) => retry(() => work(forkOf(orm))),
    transaction: (work, mostMs) => retry(() => forkOf(orm).transactional(work, { ...limits }), mostMs),
    join: (host) => joining(orm, host),
    ...connected !== orm && { hostManagerIn: (tx: EntityManager) => joining(connected, tx) },
    commits: createCommits([orm.em, connected.em]),
  }
}

/** Runs work in the transaction of the host's that `em` is in, or else, as `database.run` does, outside any. */
export function inTransactionOf (
  { run, join }: Pick<Transactions, 'run' | 'join'>, em?: EntityManager
): Transactions['run'] {
  return em?.isInTransaction() ? (work) => work(join(em)) : run
}

/** Runs work in the transaction of the host's that `em` is in, or else in one of its own. */
export function transactionOf (
  { transaction, join }: Pick<Transactions, 'transaction' | 'join'>, em?: EntityManager
): Transactions['run'] {
  return em?.isInTransaction() ? (work) => work(join(em)) : transaction
}

/** Runs work again, as a whole, while others hold its locks: for `mostMs`, by default until the deadline. */
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

/** An entity manager that joins no transaction of its caller. */
export function forkOf ({ em }: MikroORM): EntityManager {
  return em.fork({ disableContextResolution: true })
}

/** An entity manager of one MikroORM in a transaction of another's, on the same connection. */
function joining (orm: MikroORM, other: EntityManager): EntityManager {
  const em = forkOf(orm)
  em.setTransactionContext(other.getTransactionContext())
  return em
}

/** Calls back when transactions end that others have begun. */
export interface Commits {
  /**
   * Calls `act` when the transaction of `em`, and each that encloses it, is committed. Not when it, or a savepoint that
   * encloses it, is rolled back.
   */
  after: (em: EntityManager, act: () => void) => void
}

interface Waiting {
  /** The transaction that `after` was called in, and those that enclose it. */
  enclosing: object[]
  act: () => void
}

/**
 * Listens to the transactions of these entity managers, and of all that are forked from them: a transaction takes its
 * listeners along when it begins. MikroORM calls them for the end of a savepoint as for that of a whole transaction,
 * but on MySQL and MariaDB not for a savepoint that is released. So what waits is kept with the outermost transaction,
 * and a savepoint that is rolled back only takes its own away.
 */
function createCommits (managers: EntityManager[]): Commits {
  const beginning = new WeakMap<EntityManager, object | undefined>()
  const parents = new WeakMap<object, object>()
  const waiting = new WeakMap<object, Waiting[]>()

  /** The transaction, and those that enclose it, the outermost last. */
  function enclosingOf (transaction: object): object[] {
    const parent = parents.get(transaction)
    return [transaction, ...parent ? enclosingOf(parent) : []]
  }

  const subscriber: EventSubscriber = {
    beforeTransactionStart: ({ em, transaction }) => { beginning.set(em, transaction as object | undefined) },
    afterTransactionStart ({ em, transaction }) {
      const parent = beginning.get(em)
      if (parent) parents.set(transaction as object, parent)
    },
    afterTransactionCommit ({ transaction }) {
      for (const { act } of waiting.get(transaction as object) ?? []) act()
    },
    afterTransactionRollback ({ transaction }) {
      const outermost = enclosingOf(transaction as object).at(-1)!
      const left = (waiting.get(outermost) ?? []).filter(({ enclosing }) => !enclosing.includes(transaction as object))
      waiting.set(outermost, left)
    },
  }
  for (const em of managers) em.getEventManager().registerSubscriber(subscriber)

  return {
    after (em, act) {
      // A fork may have an event manager of its own.
      em.getEventManager().registerSubscriber(subscriber)
      const enclosing = enclosingOf(em.getTransactionContext<object>()!)
      const outermost = enclosing.at(-1)!
      waiting.set(outermost, [...waiting.get(outermost) ?? [], { enclosing, act }])
    },
  }
}
