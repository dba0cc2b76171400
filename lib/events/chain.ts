import { createHmac } from 'node:crypto'
import { isEqual } from '../secrets/equal.ts'
import { partsOf } from './personal.ts'
import type { Event } from './entity.ts'

/** What a seal holds beside the events in it. */
export interface SealHead {
  /** Seals are numbered from 1 without a gap. */
  seq: number
  /** The hash of the seal before; empty for the first. */
  before: string
  createdAt: Date
}

/** What of an event can be erased. */
type Personal = Pick<Event, 'id' | 'ip' | 'userAgent' | 'data'>

/**
 * The MACs of an audit log: who has the database and not the key can make none. The first key makes them, and all
 * check them.
 */
export interface Chain {
  /** The name of the key that makes MACs. */
  kid: string
  /** Stands in the chain in place of what can be erased. */
  personalOf: (event: Personal) => string
  /**
   * The hash of a seal over its events, in the order of their ids. Undefined where the key of the name is not there.
   */
  hashOf: (head: SealHead, events: Event[], kid: string) => string | undefined
  /** Says that what tells of a person was erased from their events. */
  erasedOf: (userId: string) => string
  /** Says that the events up to and with a seal were pruned. */
  prunedOf: (seal: { seq: number, hash: string }) => string
  /** True where what can be erased is as it was written, or was erased by who has the key. */
  isPersonalWhole: (event: Event) => boolean
  isPruned: (seal: { seq: number, hash: string, pruned: string | null }) => boolean
}

type Key = Buffer

/** Undefined without a key: nothing is sealed. */
export function createChain (keys: Key[]): Chain | undefined {
  const [first] = keys
  if (!first) return
  const byName = new Map(keys.map((key) => [nameOf(key), key]))

  const isOfAny = (found: string, kind: string, ...parts: unknown[]) =>
    keys.some((key) => isEqual(found, mac(key, kind, ...parts)))

  return {
    kid: nameOf(first),
    personalOf: (event) => mac(first, ...personalParts(event)),
    erasedOf: (userId) => mac(first, 'erased', userId),
    prunedOf: ({ seq, hash }) => mac(first, 'pruned', seq, hash),

    hashOf ({ seq, before, createdAt }, events, kid) {
      const key = byName.get(kid)
      if (!key) return
      const head = mac(key, 'seal', before, seq, events.length, createdAt.getTime())
      return events.reduce((hash, event) => mac(key, 'event', hash, ...sealedParts(event)), head)
    },

    isPersonalWhole (event) {
      const { erased, personal, userId, actorId } = event
      if (erased !== null) return [userId, actorId].some((id) => id !== null && isOfAny(erased, 'erased', id))
      return personal !== null && isOfAny(personal, ...personalParts(event))
    },

    isPruned: ({ seq, hash, pruned }) => pruned !== null && isOfAny(pruned, 'pruned', seq, hash),
  }
}

/** JSON keeps apart what stands side by side: `['a', 'b']` is no `['ab']`. */
function mac (key: Key, kind: string, ...parts: unknown[]): string {
  return createHmac('sha256', key).update(JSON.stringify([kind, ...parts])).digest('base64url')
}

function nameOf (key: Key): string {
  return mac(key, 'kid').slice(0, 16)
}

function personalParts ({ id, ip, userAgent, data }: Personal): [kind: string, ...parts: unknown[]] {
  return ['personal', id, ip, userAgent, partsOf(data).personal]
}

/** All of an event but what can be erased, which its MAC stands for. */
function sealedParts (event: Event): unknown[] {
  const { id, type, userId, actorId, sessionId, reason, requestId, data, personal, createdAt } = event
  const { others } = partsOf(data)
  return [id, type, userId, actorId, sessionId, reason, requestId, others, personal, createdAt.getTime()]
}
