import diagnostics from 'node:diagnostics_channel'
import type { EntityManager } from '@mikro-orm/core'
import type { FastifyBaseLogger } from 'fastify'
import { v7 as uuid } from 'uuid'
import type { Database } from '../database/database.ts'
import type { Chain } from './chain.ts'
import { Event } from './entity.ts'
import { createErase, type Erase } from './erasing.ts'
import type { EventSettings } from './options.ts'
import { storable, storableText, type Client } from '../http/request.ts'
import type { ReadData } from './data.ts'

/**
 * What happened to an account, and where it was asked for. Code asks from nowhere. `Data` is what else is told of its
 * type: null for most.
 */
export interface AccountEvent<Reason extends string = string, Data extends object | null = null> {
  instance: string
  userId: string | null
  sessionId: string | null
  /**
   * Who did it, where that is not the user: an admin, or who had borrowed the session. Null for the user, for code and
   * for somebody unknown.
   */
  actorId: string | null
  /** Fastify's id of the request, as in its log: the first 64 characters. */
  requestId: string | null
  /** Which of several ways it happened in, where there are some. */
  reason: Reason | null
  ip: string | null
  userAgent: string | null
  data: Data
}

/** An event of any type. */
export type AnyAccountEvent = AccountEvent<string, object | null>

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
export type Happening<Told extends object = Record<string, AnyAccountEvent>> = {
  [Name in keyof Told & string]: Told[Name] extends AccountEvent<infer Reason, infer Data>
    ? HappeningOf<Name, Reason> & WithData<Data>
    : never
}[keyof Told & string]

interface HappeningOf<Name extends string, Reason> {
  type: Name
  userId?: string | undefined
  sessionId?: string | undefined
  /** Who did it, where it is another than whom a guard has let in. */
  actor?: string | undefined
  /** How it happened, if there are several ways. */
  reason?: NonNullable<Reason> | undefined
  /** Where it was asked for; code asks from nowhere. */
  client?: Client | undefined
}

/** What else is told of it: what the schema of its type says. Whoever knows no types, `any`, may tell anything. */
type WithData<Data> = unknown extends Data
  ? { data?: object | undefined }
  : [Data] extends [null] ? { data?: undefined } : null extends Data ? { data?: Data | undefined } : { data: Data }

/** Writes down what happens to accounts, where the app wants that, and tells whoever listens. */
export interface Events<Told extends object = Record<string, AnyAccountEvent>> {
  /** Adds it to the table, in the transaction of what it tells of. */
  write: (tx: EntityManager, happening: Happening<Told>) => Promise<void>
  /** Takes what tells of a person out of the events of a user, where events are stored. */
  erase: Erase
  /** Tells of it, once it is stored. */
  tell: (happening: Happening<Told>) => void
  /**
   * Both, for what stores nothing else: it has happened, so a database that does not take it changes nothing, and is
   * logged.
   */
  happen: (happening: Happening<Told>) => Promise<void>
}

/** What events need. */
interface EventParts {
  database: Database
  telemetry: Telemetry
  /** Gives the data of an event that may be told and stored. */
  readData: ReadData
  /** Undefined where nothing is sealed. */
  chain: Chain | undefined
  log: FastifyBaseLogger
}

export function createEvents (
  { database, telemetry, readData, chain, log }: EventParts,
  { name, events: { store, sealSeconds } }: EventSettings & { name: string }
): Events {
  const sealing = sealSeconds === undefined ? undefined : chain
  const eraseStored = createErase(chain)
  const insert = database.statement(({ query, all }) => query(Event).insert(all(Event)))

  async function write (tx: EntityManager, happening: Happening): Promise<void> {
    if (!store) return
    const { data, ...columns } = told(happening)
    const id = uuid()
    await insert.run(tx, {
      id,
      type: happening.type,
      ...columns,
      data: data && JSON.stringify(data),
      personal: sealing?.personalOf({ id, data, ...columns }) ?? null,
      erased: null,
      seal: null,
      createdAt: timeOf(id),
    })
  }

  const tell = (happening: Happening) => telemetry.publish(happening.type, told(happening))

  function told ({ type, userId, sessionId, actor, reason, client = {}, data }: Happening) {
    const by = actor ?? (client.actor?.instance === name ? client.actor.id : undefined)
    return {
      userId: userId ?? null,
      sessionId: sessionId ?? null,
      actorId: by === undefined || by === userId ? null : by,
      requestId: storableText(client.requestId, 64),
      reason: reason ?? null,
      ...storable(client),
      data: data ? readData(type, data) : null,
    }
  }

  return {
    write,
    tell,
    erase: async (tx, userId) => store ? eraseStored(tx, userId) : 0,
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

/** When an id was made, which it holds (RFC 9562 §5.7): unless the clock was set back since the one before. */
function timeOf (id: string): Date {
  const ms = Number.parseInt(id.replace('-', '').slice(0, 12), 16)
  return new Date(Math.min(ms, Date.now()))
}
