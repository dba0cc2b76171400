import { setImmediate as breathe } from 'node:timers/promises'
import type { EntityClass } from '@mikro-orm/core'
import type { FastifyBaseLogger } from 'fastify'
import { Unavailable } from '../http/errors.ts'
import { disagreement, type Clocks } from './clocks.ts'
import type { Database } from './database.ts'
import type { PruneSettings } from './options.ts'
import { selectFrom } from './statement.ts'

/** Which rows of a table nobody needs any more. */
export interface Prune<Name extends string = string> {
  /** By which the app is told how many there were. */
  name: Name
  entity: EntityClass<{ id: string }>
  /** The oldest go first, by this property. */
  by: string
  /** The condition for rows that are old, `now` in whole ms since 1970. */
  isOld: (now: number) => object
}

/** Deletes old rows, once in a while and when it is asked to. */
export interface Pruner<Name extends string> {
  /**
   * Deletes the old rows of all tables, in batches, between which others may write, and says how many there were. What is
   * deleted by a wrong clock nobody brings back, so where two clocks disagree nothing is.
   * @throws {ConstraintViolated} where a rule of the host's database holds one of these; tables before it are done
   * @throws {Unavailable} also when the clock of this process is more than a minute off
   */
  prune: () => Promise<Record<Name, number>>
  close: () => Promise<void>
}

/** What a process needs that prunes. */
interface PrunerParts {
  database: Database
  clocks: Clocks
  log: FastifyBaseLogger
}

/** Short enough that nobody waits for one: a few milliseconds on SQLite. */
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

    // Servers tell fractions of a millisecond, which no column holds.
    const now = Math.floor(compared.now)
    const counts: [Name, number][] = []
    for (const { name, entity, by, isOld } of prunes) counts.push([name, await deleteOld(entity, by, isOld(now))])
    return Object.fromEntries(counts) as Record<Name, number>
  }

  /** Those that are still old when they are deleted: a bucket may have been filled meanwhile. */
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

  /** Many processes that began together do not prune together. */
  function pruneLater (): void {
    if (intervalSeconds === 0 || closing.signal.aborted) return
    timer = setTimeout(() => {
      prune().catch(() => {}).then(pruneLater)
    }, intervalSeconds * 1000 * (0.5 + Math.random())).unref()
  }

  /** Who asks meanwhile waits for the same. */
  async function prune (): Promise<Record<Name, number>> {
    pruning ??= pruneAll().catch(tell).finally(() => { pruning = undefined })
    return pruning
  }

  function tell (error: Error): never {
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
