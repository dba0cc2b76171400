import type { EntityManager } from '@mikro-orm/core'
import type { FastifyBaseLogger } from 'fastify'
import type { ReuseDetails, SessionTelemetry } from './events.ts'
import type { Client } from '../http/request.ts'
import type { Endings } from './endings.ts'
import type { Session } from './entity.ts'
import type { Hooks } from './options.ts'
import { reuseOf } from './refresh-report.ts'

/** Ends a session whose spent token was used again: either that token or its successor is in the hands of a thief. */
export type EndReused = (
  session: Omit<Session, 'user'>, userId: string, shown: ReuseDetails['shown'], client?: Client
) => Promise<void>

/** Tells the user of it, in the transaction that ends the session. */
export type TellOfTheft = (tx: EntityManager, userId: string, client?: Client) => Promise<void>

interface TheftParts {
  endings: Endings
  /** Undefined where users are not told. */
  tellOfTheft: TellOfTheft | undefined
  telemetry: SessionTelemetry
  hooks: Hooks
  log: FastifyBaseLogger
}

export function createEndReused ({ endings, tellOfTheft, telemetry, hooks, log }: TheftParts): EndReused {
  return async (session, userId, shown, client) => {
    const sessionId = session.id
    telemetry.counters.refreshesReused++
    log.warn({ sessionId }, 'A spent refresh token was used again: its session is over')
    const isEnded = await endings.end(sessionId, 'reuse', {
      userId,
      client,
      reuse: reuseOf(session, shown),
      ...tellOfTheft && { within: (tx) => tellOfTheft(tx, userId, client) },
    })
    if (isEnded) hooks.onReuse?.({ userId, sessionId })
  }
}
