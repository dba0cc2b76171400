import { setImmediate as breathe } from 'node:timers/promises'
import type { EntityClass } from '@mikro-orm/core'
import type { FastifyBaseLogger } from 'fastify'
import { disagreement, type Clocks } from './clocks.ts'
import type { Database } from './database.ts'
import type { PruneSettings } from './options.ts'
import { selectFrom } from './statement.ts'
import { Event } from '../events/entity.ts'
import { RevokedToken } from '../sessions/revoked-token.ts'
import { Session } from '../sessions/entity.ts'
import { ThrottleBucket } from '../features/throttle/entity.ts'
import { Unavailable } from '../http/errors.ts'
import { clockSkewSeconds, keptForSeconds } from '../sessions/revocations.ts'

/** How many rows were deleted. */
export interface Pruned {
  sessions: number
  revocations: number
  throttle: number
  events: number
}

export interface Pruner {
  /**
   * Deletes what no token can be alive for: sessions whose refresh token has expired, and entries of the log; failures that
   * are forgotten; and events that were kept for long enough. In batches, between which others may write. What is deleted
   * by a wrong clock nobody brings back, so where two clocks disagree nothing is.
   * @throws {ConstraintViolated} where a rule of the host's database holds one of these: the sessions come last
   * @throws {Unavailable} also when the clock of this process is more than a minute off
   */
  prune: () => Promise<Pruned>
  close: () => Promise<void>
}

/** Short enough that nobody waits for one: a few milliseconds on SQLite. */
const batchSize = 200

/** Prunes once in a while, if the option says so, without keeping the process alive for it. */
export function createPruner (database: Database, clocks: Clocks, settings: PruneSettings, log: FastifyBaseLogger): Pruner {
  const { prune: { intervalSeconds }, events: { keepForSeconds } } = settings
  let pruning: Promise<Pruned> | undefined
  const closing = new AbortController()
  let timer: NodeJS.Timeout | undefined

  async function pruneAll (): Promise<Pruned> {
    const compared = await clocks.compare()
    const fault = disagreement(compared)
    if (fault) throw Object.assign(new Unavailable(), { message: `Nothing is pruned. ${fault}` })

    const { now } = compared
    const before = new Date(now - clockSkewSeconds * 1000)
    // Of a process whose tokens live shorter than ours: to us it matters longer than it says.
    const written = new Date(before.getTime() - keptForSeconds(settings) * 1000)
    const kept = new Date(now - keepForSeconds * 1000)
    return {
      revocations: await deleteOld(RevokedToken, 'expiresAt', { expiresAt: { $lt: before }, createdAt: { $lt: written } }),
      throttle: await deleteOld(ThrottleBucket, 'drainedAt', { drainedAt: { $lt: before.getTime() }, blockedUntil: { $lt: before.getTime() } }),
      events: await deleteOld(Event, 'createdAt', { createdAt: { $lt: kept } }),
      // Last: a foreign key of the host's that refers to a session holds up nothing else.
      sessions: await deleteOld(Session, 'refreshExpiresAt', { refreshExpiresAt: { $lt: before } }),
    }
  }

  /** Those that are still old when they are deleted: a bucket may have been filled meanwhile. */
  async function deleteOld (entity: EntityClass<{ id: string }>, field: string, isOld: object): Promise<number> {
    let deleted = 0
    while (!closing.signal.aborted) {
      const found = await database.run((em) => selectFrom<{ id: string }>(em, entity).select('id').where(isOld).orderBy({ [field]: 'asc' }).limit(batchSize).execute('all'))
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
  async function prune (): Promise<Pruned> {
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
