import type { FastifyBaseLogger } from 'fastify'
import type { Database } from '../database.ts'
import { Session } from '../entities/session.ts'

export interface Confirmations {
  /** Remembers that a client showed a token of this generation, so the refresh token beside it has arrived. */
  note: (sessionId: string, gen: number) => void
  /** Writes what is remembered of one session. */
  flush: (sessionId: string) => Promise<void>
  /** Writes all that is remembered. */
  flushAll: () => Promise<void>
}

const flushEveryMs = 1000

/** Of more sessions than this nothing is remembered until the next write; they are noted again when they come back. */
const mostRemembered = 1000

/**
 * Keeps `confirmedGen` true without a write per request: remembered here, written about once a second. A token of a
 * generation that a SKIP made void shows that somebody has the answer we took for lost: `onVoided` ends that session.
 */
export function createConfirmations (
  database: Database, log: FastifyBaseLogger, onVoided: (sessionId: string) => Promise<unknown>
): Confirmations {
  const remembered = new Map<string, Set<number>>()
  let timer: NodeJS.Timeout | undefined

  async function flush (sessionId: string): Promise<void> {
    const gens = remembered.get(sessionId)
    if (!gens) return

    for (const gen of gens) await write(sessionId, gen)
    remembered.delete(sessionId)
  }

  async function write (id: string, gen: number): Promise<void> {
    const voided = await database.run(async (em) => {
      const isCurrent = { id, gen, confirmedGen: { $lt: gen } }
      const isVoid = { id, prevGen: { $lt: gen }, gen: { $gt: gen } }
      return await em.nativeUpdate(Session, isCurrent, { confirmedGen: gen, lastUsedAt: new Date() }) === 0 &&
        await em.count(Session, isVoid, { connectionType: 'write' }) > 0
    })
    if (voided) await onVoided(id)
  }

  async function flushAll (): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    for (const sessionId of remembered.keys()) await flush(sessionId)
  }

  return {
    note (sessionId, gen) {
      const gens = remembered.get(sessionId)
      if (gens) gens.add(gen)
      else if (remembered.size < mostRemembered) remembered.set(sessionId, new Set([gen]))
      timer ??= setTimeout(() => flushAll().catch((error) => log.error(error, 'Confirmations wait for the database')), flushEveryMs).unref()
    },
    flush,
    flushAll,
  }
}
