import type { EntityManager } from '@mikro-orm/core'
import type { Database } from '../../database/database.ts'
import { fromRow, selectFrom } from '../../database/statement.ts'
import type { Chain } from '../../events/chain.ts'
import { Event } from '../../events/entity.ts'
import { Seal } from '../../events/seal-entity.ts'
import { createHold, rows } from '../../sessions/revision.ts'

/** The rows of events and their seals. */
export interface SealRows {
  /** Makes everybody wait who seals or prunes, as the first statement of a transaction. */
  hold: (tx: EntityManager) => Promise<void>
  /** The seals from a number on, the first of them first. */
  seals: (em: EntityManager, from: number, limit: number) => Promise<Seal[]>
  newest: (em: EntityManager) => Promise<Seal | undefined>
  /** The events of these seals, as they are sealed. No more than so many. */
  eventsIn: (em: EntityManager, first: number, last: number, limit: number) => Promise<Event[]>
}

/** As many events as are in a seal at most: they are read at once, and checked at once. */
export const mostEntries = 500

export function createSealRows (database: Database): SealRows {
  const read = async (em: EntityManager, where: object, order: object, limit: number) =>
    (await selectFrom<object>(em, Seal).select('*').where(where).orderBy(order).limit(limit).execute('all', false))
      .map((row) => fromRow(em, Seal, row))

  return {
    hold: createHold(database, rows.seals),
    seals: (em, from, limit) => read(em, { seq: { $gte: from } }, { seq: 'asc' }, limit),
    newest: async (em) => (await read(em, {}, { seq: 'desc' }, 1))[0],

    async eventsIn (em, first, last, limit) {
      const found = await selectFrom<object>(em, Event).select('*').where({ seal: { $gte: first, $lte: last } })
        .orderBy({ seal: 'asc', id: 'asc' }).limit(limit).execute('all', false)
      return found.map((row) => fromRow(em, Event, row))
    },
  }
}

/**
 * Seals the oldest events that are not sealed yet. One that is committed late falls into the next seal, so nothing is
 * lost, whatever the order of commits. Gives the seal, or nothing where there was nothing to seal.
 */
export async function sealOldest (
  tx: EntityManager, { hold, newest, eventsIn }: SealRows, chain: Chain
): Promise<Seal | undefined> {
  await hold(tx)
  const last = await newest(tx)
  const seq = (last?.seq ?? 0) + 1
  const found = await selectFrom<{ id: string }>(tx, Event).select('id').where({ seal: null })
    .orderBy({ id: 'asc' }).limit(mostEntries).execute('all')
  if (found.length === 0) return
  await tx.nativeUpdate(Event, { id: { $in: found.map(({ id }) => id) }, seal: null }, { seal: seq })

  const events = await eventsIn(tx, seq, seq, mostEntries)
  // Those that a process without the key has written.
  for (const event of events.filter(({ personal }) => personal === null)) {
    event.personal = chain.personalOf(event)
    await tx.nativeUpdate(Event, { id: event.id }, { personal: event.personal })
  }
  const createdAt = new Date()
  const hash = chain.hashOf({ seq, before: last?.hash ?? '', createdAt }, events, chain.kid)!
  const seal = { seq, entries: events.length, hash, kid: chain.kid, pruned: null, createdAt }
  await tx.insert(Seal, seal)
  return seal as Seal
}
