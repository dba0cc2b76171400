import { LRUCache } from 'lru-cache'
import type { Database } from '../../database/database.ts'
import type { KnownKey } from '../../guards/key-access.ts'
import { TokenExpired, TokenInvalid } from '../../tokens/errors.ts'
import { isExpired } from '../../tokens/tokens.ts'
import type { KeyCounters } from './events.ts'
import { judged } from './judged.ts'
import type { KeyTexts } from './key-text.ts'
import type { Rows } from './rows.ts'

/** Finds out whose a key is, from memory where that is up to date. */
export interface KnownKeys {
  /** A key that this process knows to be good, but for what the log of revocations says; else undefined. */
  remembered: (text: string) => KnownKey | undefined
  /**
   * A key as the database has it. Those who ask for one at once share one read, and it is remembered.
   * @throws {TokenInvalid} for what is no key, and for a wrong one
   * @throws {TokenRevoked | TokenExpired} only where the key is right
   */
  get: (text: string) => Promise<KnownKey>
  /**
   * A key as the database has it now.
   * @throws {TokenInvalid} for what is no key, and for a wrong one
   * @throws {TokenRevoked | TokenExpired} only where the key is right
   */
  read: (text: string) => Promise<KnownKey>
  /** Called when a key has ended or changed: whoever asks from then on reads it again. */
  forget: (id: string) => void
  /** Called when any key may have changed. */
  forgetAll: () => void
}

/** The most keys that are remembered. */
const mostKnown = 50_000

/** On two clocks, since one stands still while the machine sleeps, and the other may be set. */
interface Entry { key: KnownKey, readAt: { steady: number, wall: number } }

/**
 * Remembers keys by their texts. The log of revocations has an entry for each that ends or is rotated, and what others
 * write in the database is seen after the life of an access token, which is shorter than that of an entry.
 */
export function createKnownKeys (
  { database, rows, texts, counters }: { database: Database, rows: Rows, texts: KeyTexts, counters: KeyCounters },
  { access, leewaySeconds }: { access: { expiresInSeconds: number }, leewaySeconds: number }
): KnownKeys {
  const knownForMs = access.expiresInSeconds * 1000
  /** A key has one text, or two for a while after it was rotated. */
  const textsOf = new Map<string, Set<string>>()
  const known = new LRUCache<string, Entry>({
    max: mostKnown,
    dispose ({ key: { id } }, text) {
      const left = textsOf.get(id)!
      left.delete(text)
      if (left.size === 0) textsOf.delete(id)
    },
  })
  const reading = new Map<string, Promise<KnownKey>>()

  function remember (text: string, key: KnownKey, readAt: Entry['readAt']): void {
    known.set(text, { key, readAt })
    const all = textsOf.get(key.id)
    if (all) all.add(text)
    else textsOf.set(key.id, new Set([text]))
  }

  async function read (text: string): Promise<KnownKey> {
    const id = texts.idOf(text)
    if (id === undefined) throw new TokenInvalid()
    counters.keysRead++
    return judged(await database.run((em) => rows.find(em, id)), text)
  }

  async function get (text: string): Promise<KnownKey> {
    const shared = reading.get(text)
    if (shared) return shared
    const readAt = { steady: performance.now(), wall: Date.now() }
    const isLatest = () => reading.get(text) === mine
    const mine: Promise<KnownKey> = read(text).then((key) => {
      // One that was forgotten meanwhile may be what the database had before that.
      if (!isLatest()) return get(text)
      remember(text, key, readAt)
      return key
    }).finally(() => { if (isLatest()) reading.delete(text) })
    reading.set(text, mine)
    return mine
  }

  return {
    remembered (text) {
      // Not `get`: to read a key again that was evicted while in use is cheaper than to keep the order of all.
      const entry = known.peek(text)
      if (!entry) return
      const { key, readAt: { steady, wall } } = entry
      if (Math.max(performance.now() - steady, Date.now() - wall) >= knownForMs) return
      if (isExpired(key.inner, leewaySeconds)) throw new TokenExpired()
      counters.keysRemembered++
      return key
    },
    get,
    read,
    forget (id) {
      for (const text of textsOf.get(id) ?? []) known.delete(text)
      for (const text of reading.keys()) if (texts.idOf(text) === id) reading.delete(text)
    },
    forgetAll () {
      known.clear()
      reading.clear()
    },
  }
}
