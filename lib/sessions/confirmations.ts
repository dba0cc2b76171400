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
interface Shown {
  id: string
  gen: number
}

/** A session as it is stored: of its user it has the id. */
export type SessionRow = Omit<Session, 'user'> & { user: string }

export interface Confirmations {
  /** False where nobody asks what has arrived: then nothing is to be noted. */
  isOn: boolean
  /**
   * Remembers that a client showed a token of this generation, so the refresh token beside it has arrived. False when
   * too much is remembered already.
   */
  note: (sessionId: string, gen: number) => boolean
  /** Remembers a generation of a session that was just read, unless its row tells so already. */
  confirm: (session: Session, gen: number) => void
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

/** Where what is shown is written, and who ends a session whose token was stolen. */
interface ConfirmationParts {
  database: Database
  telemetry: SessionTelemetry
  log: FastifyBaseLogger
  endReused: EndReused
}

/**
 * Keeps `confirmedGen` true without a write per request: remembered here, written about once a second. A token of a
 * generation that a SKIP made void shows that somebody has the answer we took for lost: that session ends.
 */
export function createConfirmations (
  { database, telemetry: { counters }, log, endReused }: ConfirmationParts, { refresh }: Pick<SessionSettings, 'refresh'>
): Confirmations {
  const isOn = refresh.replay === 'until-confirmed'
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
      if (voided) await endReused(row, row.user, { gen: voided.gen, br: null, issuedAt: null })
    }
  }

  function forget ({ id, gen }: Shown): void {
    const gens = remembered.get(id)
    gens?.delete(gen)
    if (gens?.size === 0) remembered.delete(id)
  }

  function flushLater (): void {
    const flushing = () => flushAll().catch((error) => log.error(error, 'Confirmations wait for the database'))
    timer ??= setTimeout(flushing, flushEveryMs).unref()
  }

  function note (sessionId: string, gen: number): boolean {
    const gens = remembered.get(sessionId)
    if (gens) gens.add(gen)
    else if (remembered.size === mostRemembered) return false
    else remembered.set(sessionId, new Set([gen]))
    flushLater()
    return true
  }

  return {
    isOn,
    note,
    confirm (session, gen) {
      const isNews = session.confirmedGen < gen && gen === session.gen
      if (isOn && (isNews || isVoid(session, gen))) note(session.id, gen)
    },
    flush,
    flushAll,
  }
}
