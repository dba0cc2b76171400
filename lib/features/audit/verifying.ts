import { setImmediate as breathe } from 'node:timers/promises'
import type { EntityManager } from '@mikro-orm/core'
import type { Database } from '../../database/database.ts'
import { selectFrom } from '../../database/statement.ts'
import type { Chain } from '../../events/chain.ts'
import { Event } from '../../events/entity.ts'
import { Seal } from '../../events/seal-entity.ts'
import type { SealRows } from './sealing.ts'

/**
 * What is wrong with a seal: it is not there (`missing`); it has more or fewer events than it should (`entries`); an
 * event or the seal itself was changed (`changed`), or what tells of a person in an event (`personal`); the key that
 * made it is not among those of the app (`key`); it was pruned, and something is there (`pruned`). Or no seal has the
 * hash that was expected (`expected`).
 */
export type SealProblem = 'missing' | 'entries' | 'changed' | 'personal' | 'key' | 'pruned' | 'expected'

/** What came of checking a part of the seals. */
export interface Verified {
  /** Nothing was changed in this part. */
  whole: boolean
  /** How many events were checked, and in how many seals. */
  entries: number
  seals: number
  /** The number of the first seal with which something is wrong, and what. */
  brokenAt: number | null
  problem: SealProblem | null
  /** The hash of the last seal that was checked. */
  head: string | null
  /** Goes into `after`, for the next part; null at the end, and where something is wrong. */
  next: number | null
}

/** How many events are checked at most by one request, and how many are read at once. */
const mostOfAll = 20_000
const mostAtOnce = 1000

/** A part of the chain that was checked up to `at`. */
interface Walked extends Pick<Verified, 'entries' | 'seals' | 'head'> {
  at: number
}

/** Ends the walk where something is wrong. */
class Broken extends Error {
  declare problem: SealProblem
  declare seq: number

  constructor (problem: SealProblem, seq: number) {
    super()
    this.problem = problem
    this.seq = seq
  }
}

/** Checks the seals after this number; without one from the first. `expect` is the hash that one of them must have. */
export type Verify = (given: { after?: number | undefined, expect?: string | undefined }) => Promise<Verified>

export function createVerify (database: Database, rows: SealRows, chain: Chain): Verify {
  const any = async (em: EntityManager, entity: typeof Event | typeof Seal, where: object) =>
    (await selectFrom<object>(em, entity).select('*').where(where).limit(1).execute('all', false)).length > 0

  /** Where to begin: at the first seal, at the last that was pruned, or after the one that was checked last. */
  async function beginning (em: EntityManager, after: number): Promise<{ at: number, hash: string }> {
    const [first] = await rows.seals(em, 0, 1)
    if (!first) return { at: 0, hash: '' }
    if (first.pruned === null && first.seq !== 1) throw new Broken('missing', first.seq - 1)
    if (first.pruned !== null) {
      if (!chain.isPruned(first)) throw new Broken('pruned', first.seq)
      if (await any(em, Event, { seal: { $lte: first.seq } })) throw new Broken('pruned', first.seq)
    }
    const [checked] = after > first.seq ? await rows.seals(em, after, 1) : [first]
    if (after >= first.seq) return { at: after, hash: checked?.hash ?? '' }
    return first.pruned === null ? { at: 0, hash: '' } : { at: first.seq, hash: first.hash }
  }

  async function walk (em: EntityManager, after: number): Promise<Verified> {
    const walked: Walked = { at: after, entries: 0, seals: 0, head: null }
    try {
      // Before the seals are read: what is sealed later cannot be missed in them.
      const [lastSealed] = await selectFrom<{ seal: number }>(em, Event).select('seal')
        .where({ seal: { $ne: null } }).orderBy({ seal: 'desc' }).limit(1).execute('all')
      const { at, hash } = await beginning(em, after)
      Object.assign(walked, { at, head: hash || null })
      const isEnd = await walkOn(em, walked)
      if (!isEnd) return { ...shown(walked), next: walked.at }
      if (lastSealed && lastSealed.seal > walked.at) throw new Broken('missing', walked.at + 1)
      return shown(walked)
    } catch (error) {
      if (!(error instanceof Broken)) throw error
      return { ...shown(walked), whole: false, brokenAt: error.seq, problem: error.problem }
    }
  }

  /** Checks as many seals as one request may. True at the end of the chain. */
  async function walkOn (em: EntityManager, walked: Walked): Promise<boolean> {
    for (;;) {
      const seals = atMost(await rows.seals(em, walked.at + 1, mostAtOnce))
      if (seals.length === 0) return true
      const entries = seals.reduce((sum, seal) => sum + seal.entries, 0)
      if (walked.seals > 0 && walked.entries + entries > mostOfAll) return false
      const events = await rows.eventsIn(em, seals[0]!.seq, seals.at(-1)!.seq, entries + 1)
      const bySeal = Map.groupBy(events, ({ seal }) => seal)
      for (const seal of seals) check(seal, bySeal.get(seal.seq) ?? [], walked)
      await breathe()
    }
  }

  function check (seal: Seal, events: Event[], walked: Walked): void {
    const { seq, entries, hash, kid, createdAt } = seal
    if (seq !== walked.at + 1) throw new Broken('missing', walked.at + 1)
    if (events.length !== entries) throw new Broken('entries', seq)
    const found = chain.hashOf({ seq, before: walked.head ?? '', createdAt }, events, kid)
    if (found === undefined) throw new Broken('key', seq)
    if (found !== hash) throw new Broken('changed', seq)
    if (!events.every(chain.isPersonalWhole)) throw new Broken('personal', seq)
    Object.assign(walked, { at: seq, entries: walked.entries + entries, seals: walked.seals + 1, head: hash })
  }

  return async ({ after = 0, expect }) => {
    if (expect !== undefined && !await database.run((em) => any(em, Seal, { hash: expect }))) {
      return { ...shown({ at: 0, entries: 0, seals: 0, head: null }), whole: false, problem: 'expected' }
    }
    const verified = await database.run((em) => walk(em, after))
    if (verified.whole) return verified
    // Others may have sealed or pruned meanwhile: only what is wrong while they wait is wrong.
    return database.transaction(async (tx) => {
      await rows.hold(tx)
      return walk(tx, after)
    })
  }
}

/** The first of these seals, with no more events than are read at once. */
function atMost (seals: Seal[]): Seal[] {
  let sum = 0
  return seals.filter(({ entries }, index) => {
    sum += entries
    return index === 0 || sum <= mostAtOnce
  })
}

function shown ({ entries, seals, head }: Walked): Verified {
  return { whole: true, entries, seals, brokenAt: null, problem: null, head, next: null }
}
