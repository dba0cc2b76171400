import { raw } from '@mikro-orm/core'
import type { FastifyBaseLogger } from 'fastify'
import type { Database } from '../database/database.ts'
import { selectFrom } from '../database/statement.ts'
import { Session } from './entity.ts'
import type { SessionTelemetry } from './events.ts'
import type { SessionSettings } from './options.ts'
import { isVoid } from './rotation.ts'
import type { EndReused } from './theft.ts'

/** A generation of a session whose tokens a client has shown. */
interface Confirmation {
  id: string
  gen: number
}

/** A session as it is stored: of its user it has the id. */
export type SessionRow = Omit<Session, 'user'> & { user: string }

export interface Confirmations {
  /** False where the option `refresh.replay` does not depend on what has arrived: then nothing is to be noted. */
  isOn: boolean
  /**
   * Remembers that a client showed a token of this generation, so the refresh token beside it has arrived. False when
   * too much is remembered already.
   */
  note: (sessionId: string, generation: number) => boolean
  /** Remembers a generation of a session that was just read, unless the row has it already. */
  noteUnlessStored: (session: Session, generation: number) => void
  /** Writes what is remembered of one session. */
  flush: (sessionId: string) => Promise<void>
  /** Writes all that is remembered. */
  flushAll: () => Promise<void>
}

const flushEveryMs = 1000

/** The most sessions until the next write. Those beyond are noted when they come again. */
const mostRemembered = 10_000

/** How many generations are written in one statement. */
const batchSize = 200

interface ConfirmationParts {
  database: Database
  telemetry: SessionTelemetry
  log: FastifyBaseLogger
  endReused: EndReused
}

/**
 * Keeps `confirmedGen` up to date without a write for each request: generations are remembered here, and written about
 * once a second. A token of a generation that a SKIP made void shows that somebody has the answer that was taken for
 * lost: that session ends.
 */
export function createConfirmations (
  { database, telemetry: { counters }, log, endReused }: ConfirmationParts,
  { refresh }: Pick<SessionSettings, 'refresh'>
): Confirmations {
  const isOn = refresh.replay === 'until-confirmed'
  const remembered = new Map<string, Set<number>>()
  let timer: NodeJS.Timeout | undefined

  async function flush (sessionId: string): Promise<void> {
    const generations = remembered.get(sessionId)
    if (generations) await write([...generations].map((gen) => ({ id: sessionId, gen })))
  }

  async function flushAll (): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    const all = [...remembered].flatMap(([id, generations]) => [...generations].map((gen) => ({ id, gen })))
    for (let index = 0; index < all.length; index += batchSize) await write(all.slice(index, index + batchSize))
  }

  async function write (batch: Confirmation[]): Promise<void> {
    const current = batch.map(({ id, gen }) => ({ id, gen, confirmedGen: { $lt: gen } }))
    const rows = await database.run(async (em) => {
      const change = { confirmedGen: raw<number>('gen'), lastUsedAt: new Date() }
      if (await em.nativeUpdate(Session, { $or: current }, change) === batch.length) return []
      const ids = batch.map(({ id }) => id)
      return selectFrom<SessionRow>(em, Session).select('*').where({ id: { $in: ids } }).execute('all')
    })
    for (const confirmation of batch) forget(confirmation)
    counters.confirmationsWritten += batch.length

    for (const row of rows) {
      const voided = batch.find(({ id, gen }) => id === row.id && isVoid(row, gen))
      if (voided) await endReused(row, row.user, { gen: voided.gen, br: null, issuedAt: null })
    }
  }

  function forget ({ id, gen }: Confirmation): void {
    const generations = remembered.get(id)
    generations?.delete(gen)
    if (generations?.size === 0) remembered.delete(id)
  }

  function flushLater (): void {
    const flushing = () => flushAll().catch((error) => log.error(error, 'Confirmations wait for the database'))
    timer ??= setTimeout(flushing, flushEveryMs).unref()
  }

  function note (sessionId: string, generation: number): boolean {
    const generations = remembered.get(sessionId)
    if (generations) generations.add(generation)
    else if (remembered.size === mostRemembered) return false
    else remembered.set(sessionId, new Set([generation]))
    flushLater()
    return true
  }

  return {
    isOn,
    note,
    noteUnlessStored (session, generation) {
      const isNew = session.confirmedGen < generation && generation === session.gen
      if (isOn && (isNew || isVoid(session, generation))) note(session.id, generation)
    },
    flush,
    flushAll,
  }
}
