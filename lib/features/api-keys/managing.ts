import type { EntityManager } from '@mikro-orm/core'
import { v7 as uuid } from 'uuid'
import type { Client } from '../../http/request.ts'
import { TokenRevoked } from '../../sessions/errors.ts'
import { isId } from '../../tokens/claims.ts'
import type { User } from '../../users/entity.ts'
import { NotFound } from '../../users/errors.ts'
import type { Spine } from '../spine.ts'
import { KeysFull } from './errors.ts'
import type { KeyTexts } from './key-text.ts'
import type { OpenKeySettings } from './options.ts'
import type { KeyRow, Rows } from './rows.ts'

/** What a key is made of. */
export interface WantedKey {
  name: string
  scopes?: readonly string[] | undefined
  /** In seconds; null for ever. Default what the option says. */
  lifetime?: number | null | undefined
}

/** Who asks, and in whose transaction. */
export interface KeyAsker {
  client?: Client | undefined
  em?: EntityManager | undefined
  sessionId?: string | undefined
  /** The user's epoch when it was asked for: whoever has been signed out since gets nothing. */
  epoch?: number | undefined
  /** Who has a key made, where that is not the user. */
  createdBy?: string | undefined
}

/** A key, and the one time that its text is there. */
export interface MadeKey {
  key: string
  row: KeyRow
}

/** How keys are made, and end. Each is one transaction, which locks the user first. */
export interface Managing {
  /**
   * @throws {NotFound} for a user who is not there, is disabled or about to be deleted
   * @throws {KeysFull}
   */
  create: (userId: string, wanted: WantedKey, asker?: KeyAsker) => Promise<MadeKey>
  /**
   * Gives a key another text, and a life as long as it had at first. The text of before is good for the overlap, in
   * seconds, and no longer than it would have been.
   * @throws {NotFound}
   */
  rotate: (userId: string, id: string, overlap: number | undefined, asker?: KeyAsker) => Promise<MadeKey>
  /** False where the user has no such key that goes on. */
  revoke: (userId: string, id: string, asker?: KeyAsker) => Promise<boolean>
}

export function createManaging (
  { mail, sessions: { revocationLog }, users: { lookUp } }: Spine,
  { rows, texts }: { rows: Rows, texts: KeyTexts },
  { expiresInSeconds, max, overlapSeconds }: OpenKeySettings
): Managing {
  async function lock (tx: EntityManager, userId: string, { epoch }: KeyAsker): Promise<User> {
    const user = isId(userId) ? await lookUp.locked(tx, userId) : null
    const isGone = !user || user.disabledAt || user.closesAt
    if (epoch !== undefined && (isGone || user.epoch > epoch)) throw new TokenRevoked()
    if (isGone) throw new NotFound()
    return user
  }

  async function find (tx: EntityManager, userId: string, id: string): Promise<KeyRow> {
    const found = (await rows.livingOf(tx, userId)).find((row) => row.id === id)
    if (!found) throw new NotFound()
    return found
  }

  const telling = (row: Pick<KeyRow, 'id' | 'userId'>, { client, sessionId }: KeyAsker) =>
    ({ userId: row.userId, sessionId, client, data: { keyId: row.id } })

  return {
    create: (userId, { name, scopes = [], lifetime = expiresInSeconds }, asker = {}) =>
      revocationLog.record(async (tx, _write, note) => {
        const user = await lock(tx, userId, asker)
        if ((await rows.livingOf(tx, userId)).length >= max) throw new KeysFull()
        const now = new Date()
        const id = uuid()
        const { key, hash, hint } = texts.make(id)
        const row: KeyRow = {
          id,
          userId,
          name,
          hint,
          hash,
          oldHash: null,
          oldUntil: null,
          scopes: [...new Set(scopes)],
          lifetime,
          createdAt: now,
          expiresAt: after(now, lifetime),
          lastUsedAt: null,
          lastUsedIp: null,
          revokedAt: null,
          createdBy: asker.createdBy ?? null,
        }
        await rows.insert(tx, row)
        await note({ type: 'key-created', ...telling(row, asker) })
        await mail?.notify(tx, 'keyCreated', user, { client: asker.client })
        return { key, row }
      }, asker.em),

    rotate: (userId, id, overlap = overlapSeconds, asker = {}) =>
      revocationLog.record(async (tx, write, note) => {
        await lock(tx, userId, asker)
        const before = await find(tx, userId, id)
        const now = new Date()
        const { key, hash, hint } = texts.make(id)
        const oldUntil = earlier(after(now, overlap)!, before.expiresAt)
        const change = { hash, hint, oldHash: before.hash, oldUntil, expiresAt: after(now, before.lifetime) }
        await rows.change(tx, userId, id, change)
        // A floor that every key is above: who remembers the key reads it again.
        await write('session', id, 0)
        await note({ type: 'key-rotated', ...telling(before, asker) })
        return { key, row: { ...before, ...change } }
      }, asker.em),

    async revoke (userId, id, asker = {}) {
      return revocationLog.record(async (tx, write, note) => {
        if (!isId(userId) || !await lookUp.locked(tx, userId)) return false
        const [ended] = await rows.end(tx, userId, [id])
        if (ended === undefined) return false
        await write('session', id)
        await note({ type: 'key-revoked', ...telling({ id, userId }, asker) })
        return true
      }, asker.em)
    },
  }
}

function after (moment: Date, seconds: number | null): Date | null {
  return seconds === null ? null : new Date(moment.getTime() + seconds * 1000)
}

function earlier (one: Date, other: Date | null): Date {
  return other !== null && other < one ? other : one
}
