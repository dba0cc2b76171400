import type { EntityManager } from '@mikro-orm/core'
import type { FastifyBaseLogger } from 'fastify'
import { v7 as uuid } from 'uuid'
import type { Database } from '../database/database.ts'
import { Event } from './entity.ts'
import type { EventSettings } from './options.ts'
import { storable, type Client } from '../http/request.ts'
import type { EventReason, ReuseDetails, StoredEvent, Telemetry } from './telemetry.ts'

/** What happened to an account. */
export interface Happening {
  type: StoredEvent
  userId?: string | undefined
  sessionId?: string | undefined
  /** Which of several ways it happened in. */
  reason?: EventReason
  /** Of a theft: what is known of both sides. */
  reuse?: ReuseDetails | undefined
  /** Where it was asked for; code asks from nowhere. */
  client?: Client | undefined
}

/** Writes down what happens to accounts, where the app wants that, and tells whoever listens. */
export interface Events {
  /** Adds it to the table, in the transaction of what it tells of. */
  write: (tx: EntityManager, happening: Happening) => Promise<void>
  /** Tells of it, once it is stored. */
  tell: (happening: Happening) => void
  /** Both, for what stores nothing else: it has happened, so a database that does not take it changes nothing, and is logged. */
  happen: (happening: Happening) => Promise<void>
}

export function createEvents (
  database: Database, { publish }: Telemetry, { events: { store } }: EventSettings, log: FastifyBaseLogger
): Events {
  const insert = database.statement(({ query, all }) => query(Event).insert(all(Event)))

  async function write (tx: EntityManager, happening: Happening): Promise<void> {
    if (!store) return
    const { type, reuse = null } = happening
    const details = reuse && JSON.stringify(reuse)
    await insert.run(tx, { id: uuid(), type, ...columnsOf(happening), details, createdAt: new Date() })
  }

  const tell = (happening: Happening) => publish(happening.type, { ...columnsOf(happening), ...happening.reuse })

  return {
    write,
    tell,
    async happen (happening) {
      if (store) await database.run((em) => write(em, happening)).catch((error) => log.error(error, 'An event could not be stored'))
      tell(happening)
    },
  }
}

function columnsOf ({ userId, sessionId, reason, client = {} }: Happening) {
  return { userId: userId ?? null, sessionId: sessionId ?? null, reason: reason ?? null, ...storable(client) }
}
