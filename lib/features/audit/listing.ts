import type { EntityManager } from '@mikro-orm/core'
import type { Database } from '../../database/database.ts'
import { fromRow, selectFrom, type Selection } from '../../database/statement.ts'
import { inTransactionOf } from '../../database/transactions.ts'
import { Event } from '../../events/entity.ts'
import { InputInvalid } from '../../http/errors.ts'
import { isId } from '../../tokens/claims.ts'

/** Which events: those that all of these fit. */
export interface EventFilter {
  /** The id of whom they happened to. */
  user?: string | undefined
  /** The id of who did it, where that was not the user. */
  actor?: string | undefined
  type?: string | undefined
  /** The address of the client, as it is written in the event. */
  ip?: string | undefined
  /** From then on. */
  afterTime?: Date | undefined
  /** Before then. */
  beforeTime?: Date | undefined
}

/** A part of them. */
export interface EventPage {
  limit: number
  /** The `next` of the part before. */
  after?: string | undefined
}

/**
 * Gives the events that fit, the newest first, and the `after` of the next part if there are more.
 * @throws {InputInvalid} for an id that is none, and a time that is none
 */
export type ListEvents = (
  filter: EventFilter, page: EventPage, em?: EntityManager
) => Promise<{ events: Event[], next: string | null }>

export function createListing (database: Database): ListEvents {
  return async (filter, page, em) => {
    const rows = await inTransactionOf(database, em)(async (tx) => {
      const found = await newestFirst(tx, filter, page).execute('all', false)
      return found.map((row) => fromRow(tx, Event, row))
    })
    const events = rows.slice(0, page.limit)
    return { events, next: rows.length > page.limit ? events.at(-1)!.id : null }
  }
}

/** The query of a part, and of one more, which tells whether there are more. */
export function newestFirst (
  em: EntityManager, filter: EventFilter, { limit, after }: EventPage
): Selection<object> {
  const where = { $and: conditionsOf(filter, after) }
  return selectFrom<object>(em, Event).select('*').where(where).orderBy({ id: 'desc' }).limit(limit + 1)
}

/**
 * Each filter has an index that ends in the id. Times are those that ids hold: a column of its own would have to be
 * sorted by. Where a clock is set back ids go on from the latest time of their process, and so may be ahead of it.
 */
function conditionsOf ({ user, actor, type, ip, afterTime, beforeTime }: EventFilter, after?: string): object[] {
  const since = msOf('after_time', afterTime)
  const until = msOf('before_time', beforeTime)
  return [
    {},
    ...user === undefined ? [] : [{ userId: idOf('user', user) }],
    ...actor === undefined ? [] : [{ actorId: idOf('actor', actor) }],
    ...type === undefined ? [] : [{ type }],
    ...ip === undefined ? [] : [{ ip }],
    ...since === undefined ? [] : [{ id: { $gte: firstIdOf(since) } }],
    ...until === undefined ? [] : [{ id: { $lt: firstIdOf(until) } }],
    ...after === undefined ? [] : [{ id: { $lt: idOf('after', after) } }],
  ]
}

function idOf (name: string, given: string): string {
  const id = given.toLowerCase()
  if (!isId(id)) throw new InputInvalid(`${name} must be an id`)
  return id
}

/** No event has a time before 1970, and no id can say one. */
function msOf (name: string, time: Date | undefined): number | undefined {
  if (time === undefined) return
  const ms = time.getTime()
  if (Number.isNaN(ms)) throw new InputInvalid(`${name} must be a time`)
  return Math.max(0, ms)
}

/** No id that is made at a time comes before this one (RFC 9562 §5.7). */
function firstIdOf (ms: number): string {
  const time = ms.toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`
}
