import { setTimeout as pause } from 'node:timers/promises'
import type { EntityManager, MikroORM } from '@mikro-orm/core'
import { createOrm, loadDialect } from './databases/dialects.ts'
import { isBusy, mostWaitMs, withoutValues, within } from './databases/patience.ts'
import { dialectOf, nameOf } from './databases/url.ts'
import { OptionsInvalid, Unavailable } from './errors.ts'
import { isOurs } from './our-error.ts'
import type { Settings } from './settings.ts'

export interface Database {
  orm: MikroORM
  /**
   * Runs `work` on an entity manager of its own, outside any transaction of the request's. While a row, a table or a file
   * is locked it is run again and again, so it writes once: in one statement or one transaction.
   * @throws {Unavailable} `ACCOUNTS_UNAVAILABLE` after 10 seconds, and for every failure but a broken unique key
   */
  run: <Result>(work: (em: EntityManager) => Promise<Result>) => Promise<Result>
  /** An entity manager of ours in a transaction of the host's. */
  join: (host: EntityManager) => EntityManager
  /** An entity manager of the host's in a transaction of ours. Absent where ours knows the host's entities, or there is no host's. */
  lend?: (em: EntityManager) => EntityManager
  /** Tells other processes something, once the transaction of `em` is committed. Where the database can. */
  notify?: (em: EntityManager, channel: string) => Promise<void>
  /** Hears what other processes tell: a hint, which may come late or never. Gives what ends it. */
  listen?: (channel: string, onMessage: () => void) => Promise<() => Promise<void>>
  close: () => Promise<void>
}

/** The longest pause between two tries on what is locked. */
const mostPauseMs = 250

/** Several processes that boot on one empty database break each other's first migration: all but one try again. */
const mostMigrationTries = 10

/** Opens the database and brings the tables of the accounts `name` up to date. */
export async function openDatabase ({ db, name }: Pick<Settings, 'db' | 'name'>): Promise<Database> {
  const parts = await loadDialect(dialectOf(db)!)
  const opening = parts.dialect.open(db)
  const orm = createOrm(parts, name, opening.options)

  try {
    await orm.connect()
    await opening.prepare?.(orm)
    await migrate(orm)
    await opening.settle(orm)
  } catch (cause) {
    await orm.close(true)
    throw new OptionsInvalid(`db (or ACCOUNTS_DATABASE_URL) cannot be used, ${nameOf(db)}: ${reasonOf(cause)}`, { cause })
  }

  return {
    orm,
    run: (work) => retry(() => work(orm.em.fork())),
    close: () => orm.close(true),
    join (host) {
      const em = orm.em.fork()
      em.setTransactionContext(host.getTransactionContext())
      return em
    },
  }
}

/** True for a broken unique key. Compared by name, since an app may hold a second copy of MikroORM. */
export function isDuplicate (error: unknown): boolean {
  return error instanceof Error && error.name === 'UniqueConstraintViolationException'
}

async function retry<Result> (work: () => Promise<Result>): Promise<Result> {
  const deadline = performance.now() + mostWaitMs
  let longestPauseMs = 5

  for (;;) {
    try {
      return await within(deadline - performance.now(), work())
    } catch (cause) {
      if (isDuplicate(cause) || isOurs(cause)) throw cause
      if (!isBusy(cause) || performance.now() > deadline) throw new Unavailable({ cause: withoutValues(cause) })
      await pause(Math.random() * longestPauseMs)
      longestPauseMs = Math.min(2 * longestPauseMs, mostPauseMs)
    }
  }
}

/** Why it cannot be used. Of a host with several addresses `pg` tells no more than the code. */
function reasonOf (cause: unknown): string {
  const { message, code } = cause as { message: string, code?: unknown }
  return [message, code].filter(Boolean).join(', ')
}

async function migrate (orm: MikroORM, triesLeft = mostMigrationTries): Promise<unknown> {
  return orm.migrator.up().catch(async (error) => {
    if (triesLeft === 1) throw error
    await pause(50 + Math.random() * 100)
    return migrate(orm, triesLeft - 1)
  })
}
