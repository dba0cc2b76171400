import { setImmediate as breathe } from 'node:timers/promises'
import type { EntityClass } from '@mikro-orm/core'
import type { FastifyBaseLogger } from 'fastify'
import { Unavailable } from '../http/errors.ts'
import { disagreement, type Clocks } from './clocks.ts'
import type { Database } from './database.ts'
import type { PruneSettings } from './options.ts'
import { selectFrom } from './statement.ts'

/** What nobody needs any more: rows of a table, or what goes in a way of its own. */
export type Prune<Name extends string = string> = OldRows<Name> | OwnPrune<Name>

/** What is pruned by a function, which counts what has gone. It ends soon after the signal is aborted. */
interface OwnPrune<Name extends string> {
  name: Name
  prune: (now: number, signal: AbortSignal) => Promise<number>
}

/** Which rows of a table nobody needs any more. */
interface OldRows<Name extends string> {
  /** The name of the count in what `prune()` gives. */
  name: Name
  entity: EntityClass<{ id: string }>
  /** The property that says how old a row is: the oldest go first. */
  by: string
  /** The condition for rows that are old, `now` in whole ms since 1970. */
  isOld: (now: number) => object
}

/** Deletes old rows, once in a while and when it is asked to. */
export interface Pruner<Name extends string> {
  /**
   * Deletes the old rows of all tables, in batches, between which others may write, and counts them. Where two clocks
   * disagree it deletes nothing, since by a wrong clock it would delete rows that are still needed.
   * @throws {ConstraintViolated} where a rule of the host's database holds one of these; tables before it are done
   * @throws {Unavailable} also when the clock of this process is more than a minute off
   */
  prune: () => Promise<Record<Name, number>>
  close: () => Promise<void>
}

/** What pruning needs. */
interface PrunerParts {
  database: Database
  clocks: Clocks
  log: FastifyBaseLogger
}

/** Few enough that nobody waits long for a batch: it takes some milliseconds on SQLite. */
const batchSize = 200

/** Prunes once in a while, if the option says so, without keeping the process alive for it. */
export function createPruner<Name extends string> (
  { database, clocks, log }: PrunerParts, { prune: { intervalSeconds } }: PruneSettings, prunes: Prune<Name>[]
): Pruner<Name> {
  let pruning: Promise<Record<Name, number>> | undefined
  const closing = new AbortController()
  let timer: NodeJS.Timeout | undefined

  async function pruneAll (): Promise<Record<Name, number>> {
    const compared = await clocks.compare()
    const fault = disagreement(compared)
    if (fault) throw Object.assign(new Unavailable(), { message: `Nothing is pruned. ${fault}` })

    // Servers give fractions of a millisecond, which no column holds.
    const now = Math.floor(compared.now)
    const counts: [Name, number][] = []
    for (const each of prunes) {
      const count = 'prune' in each
        ? await each.prune(now, closing.signal)
        : await deleteOld(each.entity, each.by, each.isOld(now))
      counts.push([each.name, count])
    }
    return Object.fromEntries(counts) as Record<Name, number>
  }

  /** Asks once more whether a row is old when it deletes it: a bucket may have been filled meanwhile. */
  async function deleteOld (entity: EntityClass<{ id: string }>, by: string, isOld: object): Promise<number> {
    let deleted = 0
    while (!closing.signal.aborted) {
      const found = await database.run((em) => selectFrom<{ id: string }>(em, entity)
        .select('id').where(isOld).orderBy({ [by]: 'asc' }).limit(batchSize).execute('all'))
      const ids = found.map(({ id }) => id)
      if (ids.length > 0) deleted += await database.run((em) => em.nativeDelete(entity, { ...isOld, id: { $in: ids } }))
      if (ids.length < batchSize) break
      await breathe()
    }
    return deleted
  }

  /** At a random time, so that processes that began together do not prune together. */
  function pruneLater (): void {
    if (intervalSeconds === 0 || closing.signal.aborted) return
    timer = setTimeout(() => {
      prune().catch(() => {}).then(pruneLater)
    }, intervalSeconds * 1000 * (0.5 + Math.random())).unref()
  }

  /** Calls that come meanwhile wait for the same run. */
  async function prune (): Promise<Record<Name, number>> {
    pruning ??= pruneAll().catch(logFailure).finally(() => { pruning = undefined })
    return pruning
  }

  function logFailure (error: Error): never {
    log.warn(error, 'Old sessions could not be pruned')
    throw error
  }

  pruneLater()
  return {
    prune,
    async close () {
      closing.abort()
      clearTimeout(timer)
      await pruning?.catch(() => {})
    },
  }
}
