import { setImmediate as breathe } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import type { Database } from '../../database/database.ts'
import { selectFrom } from '../../database/statement.ts'
import type { Chain } from '../../events/chain.ts'
import { Event } from '../../events/entity.ts'
import type { Telemetry } from '../../events/events.ts'
import { withDeadline } from '../../http/deadline.ts'
import type { AuditEvents } from './events.ts'
import { mostEntries, sealOldest, type SealRows } from './sealing.ts'

/** Seals events once in a while, without keeping the process alive for it. */
export interface Sealer {
  start: () => void
  /** Seals all that is there by now. */
  seal: () => Promise<void>
  close: () => Promise<void>
}

interface SealerParts {
  database: Database
  rows: SealRows
  chain: Chain
  telemetry: Telemetry<object, AuditEvents>
  log: FastifyBaseLogger
}

export function createSealer (
  { database, rows, chain, telemetry, log }: SealerParts, { sealSeconds }: { sealSeconds: number }
): Sealer {
  let timer: NodeJS.Timeout | undefined
  const closing = new AbortController()
  let sealing: Promise<void> | undefined

  const isAnything = async () => (await database.run((em) =>
    selectFrom(em, Event).select('id').where({ seal: null }).limit(1).execute('all'))).length > 0

  async function sealAll (): Promise<void> {
    while (!closing.signal.aborted && await withDeadline(isAnything)) {
      const seal = await withDeadline(() => database.transaction((tx) => sealOldest(tx, rows, chain)))
      if (!seal) return
      const { seq, entries, hash } = seal
      log.info({ seal: seq, entries, hash }, 'Events were sealed')
      telemetry.publish('seal', { seq, entries, hash })
      if (entries < mostEntries) return
      await breathe()
    }
  }

  /** Calls that come meanwhile wait for the same work. */
  async function seal (): Promise<void> {
    sealing ??= sealAll().finally(() => { sealing = undefined })
    return sealing
  }

  /** At a random time about as often as the option says, so that processes that began together do not meet. */
  function sealLater (): void {
    if (closing.signal.aborted) return
    timer = setTimeout(() => {
      seal().catch((error) => log.warn(error, 'Events could not be sealed')).then(sealLater)
    }, sealSeconds * 1000 * (0.8 + 0.4 * Math.random())).unref()
  }

  return {
    start: sealLater,
    seal,
    async close () {
      closing.abort()
      clearTimeout(timer)
      await sealing?.catch(() => {})
    },
  }
}
