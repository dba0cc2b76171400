import diagnostics from 'node:diagnostics_channel'
import type { EntityManager } from '@mikro-orm/core'
import type { FastifyBaseLogger } from 'fastify'
import { v7 as uuid } from 'uuid'
import type { Database } from '../database/database.ts'
import { Event } from './entity.ts'
import type { EventSettings } from './options.ts'
import { storable, type Client } from '../http/request.ts'

/** What happened to an account, and where it was asked for. Code asks from nowhere. */
export interface AccountEvent<Reason extends string = string> {
  instance: string
  userId: string | null
  sessionId: string | null
  /** Which of several ways it happened in, where there are some. */
  reason: Reason | null
  ip: string | null
  userAgent: string | null
}

/**
 * Counts, and tells whoever listens. Each folder says in its events.ts what it counts and tells, and is given this with
 * the types of its own.
 */
export interface Telemetry<Counters extends object = object, Told extends object = Record<string, object>> {
  counters: Counters
  /** On the channel `fastify-jwt-accounts:<name>` of node:diagnostics_channel. */
  publish: <Name extends keyof Told & string>(name: Name, event: Omit<Told[Name], 'instance'>) => void
}

/** Counts from these on, and tells of the accounts `instance`. */
export function createTelemetry<Counters extends object> (instance: string, counters: Counters): Telemetry<Counters> {
  return {
    counters: { ...counters },
    publish (name, event) {
      diagnostics.channel(`fastify-jwt-accounts:${name}`).publish({ instance, ...event })
    },
  }
}

/** What happened to an account, by the name of its event. `Told` are the events that a folder tells of. */
export type Happening<Told extends object = Record<string, AccountEvent>> = {
  [Name in keyof Told & string]: Told[Name] extends AccountEvent ? HappeningOf<Name, Told[Name]['reason']> : never
}[keyof Told & string]

interface HappeningOf<Name extends string, Reason> {
  type: Name
  userId?: string | undefined
  sessionId?: string | undefined
  /** Which of several ways it happened in. */
  reason?: NonNullable<Reason> | undefined
  /** What else is told of it. */
  details?: object | undefined
  /** Where it was asked for; code asks from nowhere. */
  client?: Client | undefined
}

/** Writes down what happens to accounts, where the app wants that, and tells whoever listens. */
export interface Events<Told extends object = Record<string, AccountEvent>> {
  /** Adds it to the table, in the transaction of what it tells of. */
  write: (tx: EntityManager, happening: Happening<Told>) => Promise<void>
  /** Tells of it, once it is stored. */
  tell: (happening: Happening<Told>) => void
  /**
   * Both, for what stores nothing else: it has happened, so a database that does not take it changes nothing, and is
   * logged.
   */
  happen: (happening: Happening<Told>) => Promise<void>
}

export function createEvents (
  database: Database, { publish }: Telemetry, { events: { store } }: EventSettings, log: FastifyBaseLogger
): Events {
  const insert = database.statement(({ query, all }) => query(Event).insert(all(Event)))

  async function write (tx: EntityManager, happening: Happening): Promise<void> {
    if (!store) return
    const { type, details } = happening
    const kept = details ? JSON.stringify(details) : null
    await insert.run(tx, { id: uuid(), type, ...columnsOf(happening), details: kept, createdAt: new Date() })
  }

  const tell = (happening: Happening) => publish(happening.type, { ...columnsOf(happening), ...happening.details })

  return {
    write,
    tell,
    async happen (happening) {
      if (store) {
        await database
          .run((em) => write(em, happening))
          .catch((error) => log.error(error, 'An event could not be stored'))
      }
      tell(happening)
    },
  }
}

function columnsOf ({ userId, sessionId, reason, client = {} }: Happening) {
  return { userId: userId ?? null, sessionId: sessionId ?? null, reason: reason ?? null, ...storable(client) }
}
