import type { FastifyBaseLogger } from 'fastify'
import type { Database } from '../../database/database.ts'
import { storable } from '../../http/request.ts'
import type { Rows, Use } from './rows.ts'

/** Keeps when keys were last used, without a write for each request. */
export interface LastUses {
  note: (keyId: string, ip: string | undefined) => void
  /** Writes what is noted. */
  flush: () => Promise<void>
  /** Writes what is noted, if it can, and writes no more. */
  close: () => Promise<void>
}

const flushEveryMs = 60_000

/** The most keys until the next write. Those beyond are noted when they are used again. */
const mostNoted = 20_000

/** How many are written in one transaction. */
const batchSize = 200

export function createLastUses (database: Database, rows: Pick<Rows, 'note'>, log: FastifyBaseLogger): LastUses {
  let noted = new Map<string, { at: number, ip: string | undefined }>()
  let timer: NodeJS.Timeout | undefined

  async function flush (): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    const taken = noted
    noted = new Map()
    // In the order in which keys are ended too, so that nobody waits in a circle.
    const uses = [...taken.keys()].toSorted().map((id): Use => {
      const { at, ip } = taken.get(id)!
      return { id, at: new Date(at), ip: storable({ ip }).ip }
    })
    for (let done = 0; done < uses.length; done += batchSize) {
      const batch = uses.slice(done, done + batchSize)
      await database.transaction(async (tx) => { for (const use of batch) await rows.note(tx, use) })
    }
  }

  /** What is lost is a time, which the next use brings again. */
  const flushing = () => flush().catch((error) => { log.warn(error, 'When keys were last used is not written') })

  return {
    note (keyId, ip) {
      const use = noted.get(keyId)
      if (use) {
        use.at = Date.now()
        use.ip = ip
      } else if (noted.size < mostNoted) {
        noted.set(keyId, { at: Date.now(), ip })
        timer ??= setTimeout(flushing, flushEveryMs).unref()
      }
    },
    flush,
    close: flushing,
  }
}
