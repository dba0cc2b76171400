import { raw } from '@mikro-orm/core'
import type { FastifyBaseLogger } from 'fastify'
import type { Database } from '../database/database.ts'
import { selectFrom } from '../database/statement.ts'
import { Session } from './entity.ts'
import type { Telemetry } from '../events/telemetry.ts'
import { isVoid } from './rotation.ts'

/** A generation of a session whose tokens a client has shown. */
interface Shown {
  id: string
  gen: number
}

/** A session as it is stored: of its user it has the id. */
export type SessionRow = Omit<Session, 'user'> & { user: string }

export interface Confirmations {
  /**
   * Remembers that a client showed a token of this generation, so the refresh token beside it has arrived. False when
   * too much is remembered already.
   */
  note: (sessionId: string, gen: number) => boolean
  /** Writes what is remembered of one session. */
  flush: (sessionId: string) => Promise<void>
  /** Writes all that is remembered. */
  flushAll: () => Promise<void>
}

const flushEveryMs = 1000

/** Of more sessions than this nothing is remembered until the next write; they are noted again when they come back. */
const mostRemembered = 10_000

/** So many generations are written in one statement. */
const batchSize = 200

/**
 * Keeps `confirmedGen` true without a write per request: remembered here, written about once a second. A token of a
 * generation that a SKIP made void shows that somebody has the answer we took for lost: `onVoided` ends that session.
 */
export function createConfirmations (
  database: Database, { counters }: Telemetry, log: FastifyBaseLogger, onVoided: (session: SessionRow, gen: number) => Promise<unknown>
): Confirmations {
  const remembered = new Map<string, Set<number>>()
  let timer: NodeJS.Timeout | undefined

  async function flush (sessionId: string): Promise<void> {
    const gens = remembered.get(sessionId)
    if (gens) await write([...gens].map((gen) => ({ id: sessionId, gen })))
  }

  async function flushAll (): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    const all = [...remembered].flatMap(([id, gens]) => [...gens].map((gen) => ({ id, gen })))
    for (let index = 0; index < all.length; index += batchSize) await write(all.slice(index, index + batchSize))
  }

  async function write (batch: Shown[]): Promise<void> {
    const current = batch.map(({ id, gen }) => ({ id, gen, confirmedGen: { $lt: gen } }))
    const rows = await database.run(async (em) => {
      const change = { confirmedGen: raw<number>('gen'), lastUsedAt: new Date() }
      if (await em.nativeUpdate(Session, { $or: current }, change) === batch.length) return []
      return selectFrom<SessionRow>(em, Session).select('*').where({ id: { $in: batch.map(({ id }) => id) } }).execute('all')
    })
    for (const shown of batch) forget(shown)
    counters.confirmationsWritten += batch.length

    for (const row of rows) {
      const voided = batch.find(({ id, gen }) => id === row.id && isVoid(row, gen))
      if (voided) await onVoided(row, voided.gen)
    }
  }

  function forget ({ id, gen }: Shown): void {
    const gens = remembered.get(id)
    gens?.delete(gen)
    if (gens?.size === 0) remembered.delete(id)
  }

  return {
    note (sessionId, gen) {
      const gens = remembered.get(sessionId)
      if (gens) gens.add(gen)
      else if (remembered.size === mostRemembered) return false
      else remembered.set(sessionId, new Set([gen]))
      timer ??= setTimeout(() => flushAll().catch((error) => log.error(error, 'Confirmations wait for the database')), flushEveryMs).unref()
      return true
    },
    flush,
    flushAll,
  }
}
