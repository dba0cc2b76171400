import { isDate } from 'node:util/types'
import { Type, type Static } from '@sinclair/typebox'
import { transactionOf, type InTransaction } from '../../database/transactions.ts'
import type { Event } from '../../events/entity.ts'
import { createErase } from '../../events/erasing.ts'
import { InputInvalid, OptionsInvalid } from '../../http/errors.ts'
import { knownOptions } from '../../http/service-options.ts'
import { isId } from '../../tokens/claims.ts'
import type { Spine } from '../spine.ts'
import type { EventFilter, ListEvents } from './listing.ts'
import { EventQuerySchema } from './schema.ts'
import type { Verified, Verify } from './verifying.ts'

/** A stored event, as services return it. */
export interface EventInfo {
  /** Ids grow with time. */
  id: string
  /** The name of its channel, such as `login`. */
  type: string
  /** The id of the user it happened to. */
  userId: string | null
  /** The id of the one who did it, if that was not the user. */
  actorId: string | null
  /** The id of the session that it concerns. */
  sessionId: string | null
  /** How it happened, if there are several ways. */
  reason: string | null
  /** The IP address of the request. Null for code, and if it was erased. */
  ip: string | null
  userAgent: string | null
  /** Fastify's id of the request, as in its log. */
  requestId: string | null
  /** More details of this type of event. */
  data: object | null
  /** The number of the seal that it is in. Null until it is sealed. */
  seal: number | null
  createdAt: Date
}

/** What code may do with the events that are kept. Options that a service does not know are `OptionsInvalid`. */
export interface EventServices {
  /**
   * A part of the events that all given filters fit, the newest first: `limit` of them (1 to 100, default 50), that
   * came before the one with the id `after`, which is the `next` of the part before. `user` and `actor` are ids; `ip`
   * is an address as the event has it; times are from `afterTime` on and before `beforeTime`.
   * @throws {InputInvalid}
   */
  list: (
    options?: InTransaction & EventFilter & { limit?: number, after?: string }
  ) => Promise<{ events: EventInfo[], next: string | null }>
  /**
   * Checks whether sealed events are as they were sealed: about 20,000 of them at most, after the seal `after`, which
   * is the `next` of the part before. `expect` is the hash of a seal that was kept elsewhere, and has to be there.
   * @throws {InputInvalid}
   * @throws {OptionsInvalid} where the app has no `secret`
   */
  verify: (options?: { after?: number, expect?: string }) => Promise<Verified>
  /**
   * Takes address, browser and what else tells of a person out of the events that happened to a user, or that they did.
   * The events stay, and their seals hold. Gives how many these were. Deleting a user does it too.
   */
  erase: (userId: string, options?: InTransaction) => Promise<{ erased: number }>
}

const VerifySchema = Type.Object({
  after: Type.Optional(Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 })),
  expect: Type.Optional(Type.String({ minLength: 1, maxLength: 64, pattern: '^[\\w-]+$' })),
}, { additionalProperties: false })

const ListSchema = Type.Omit(EventQuerySchema, ['after_time', 'before_time'])

export function createEventServices (
  { chain, database, input }: Spine, listEvents: ListEvents, verify: Verify | undefined
): EventServices {
  const erase = createErase(chain)
  const readVerify = input.reader(VerifySchema, 'whole', 'options')
  const readList = input.reader(ListSchema, 'whole', 'options')

  return {
    async list (options = {}) {
      const { em, afterTime, beforeTime, ...given } = knownOptions('events.list',
        ['em', 'user', 'actor', 'type', 'ip', 'afterTime', 'beforeTime', 'limit', 'after'], options)
      for (const time of [afterTime, beforeTime]) {
        if (time !== undefined && !isDate(time)) throw new InputInvalid('afterTime and beforeTime must be dates')
      }
      const { limit, after, ...filter } = readList(given) as Static<typeof ListSchema>
      const { events, next } = await listEvents({ ...filter, afterTime, beforeTime }, { limit, after }, em)
      return { events: events.map(infoOf), next }
    },

    async verify (options = {}) {
      const given = readVerify(knownOptions('events.verify', ['after', 'expect'], options))
      if (!verify) throw new OptionsInvalid('events.verify() needs the secret that events were sealed with')
      return verify(given)
    },

    async erase (userId, options = {}) {
      const { em } = knownOptions('events.erase', ['em'], options)
      if (!isId(userId)) return { erased: 0 }
      return { erased: await transactionOf(database, em)((tx) => erase(tx, userId)) }
    },
  }
}

/** Less what seals it. */
function infoOf (event: Event): EventInfo {
  const { id, type, userId, actorId, sessionId, reason, ip, userAgent, requestId, data, seal, createdAt } = event
  return { id, type, userId, actorId, sessionId, reason, ip, userAgent, requestId, data, seal, createdAt }
}
