import { inSeconds, isDuration, type Duration } from '../../checks/durations.ts'
import { inTransactionOf, type InTransaction } from '../../database/transactions.ts'
import { InputInvalid, OptionsInvalid } from '../../http/errors.ts'
import { knownOptions } from '../../http/service-options.ts'
import { isId } from '../../tokens/claims.ts'
import { NotFound } from '../../users/errors.ts'
import type { Spine } from '../spine.ts'
import type { MadeKey, Managing } from './managing.ts'
import type { OpenKeySettings } from './options.ts'
import { mostOverlapSeconds } from './own-keys.ts'
import type { KeyRow, Rows } from './rows.ts'
import { WantedSchema } from './schema.ts'

/** An API key, without its text. */
export interface KeyInfo extends Pick<
  KeyRow,
  'id' | 'userId' | 'name' | 'hint' | 'scopes' | 'createdAt' | 'createdBy' | 'expiresAt' | 'lastUsedAt' | 'lastUsedIp'
> {}

/** An API key with its text, which nobody can see again. */
export interface NewKey extends KeyInfo {
  key: string
}

/** What code asks for that wants a key. */
export interface NewKeyOptions {
  /** What its owner calls it: up to 64 characters. */
  name: string
  /** What it is for: some of `keys.scopes`. Default nothing in particular. */
  scopes?: string[]
  /** How long it lives: up to `keys.maxAge`; null for ever, where that is `false`. Default `keys.expiresIn`. */
  expiresIn?: Duration | null
}

/** What code may do with API keys, with the option `keys`. Options that they do not know are `OptionsInvalid`. */
export interface KeyServices {
  /**
   * Makes a key of a user. `createdBy` is the id of who has it made, where that is somebody else.
   * @throws {NotFound} for a user who is not there, is disabled or about to be deleted
   * @throws {InputInvalid} for a name, a scope or a life that no key has
   * @throws {KeysFull}
   */
  create: (userId: string, wanted: NewKeyOptions, options?: InTransaction & { createdBy?: string }) => Promise<NewKey>
  /** The keys of a user that are good, the oldest first. */
  list: (userId: string, options?: InTransaction) => Promise<KeyInfo[]>
  /**
   * Gives a key another text, and a life as long as it had at first. The text of before is good for the overlap:
   * default `keys.overlap`, 7 days at most, 0 for not at all.
   * @throws {NotFound} where the user has no such key that is good
   */
  rotate: (userId: string, id: string, options?: InTransaction & { overlap?: Duration }) => Promise<NewKey>
  /**
   * Ends a key: in this process before the promise is fulfilled.
   * @throws {NotFound} where the user has no such key that is good
   */
  revoke: (userId: string, id: string, options?: InTransaction) => Promise<void>
}

export function createKeyServices (
  { database, input }: Spine, { rows, managing }: { rows: Rows, managing: Managing }, settings: OpenKeySettings
): KeyServices {
  const read = input.reader(WantedSchema(settings), 'whole', 'key')

  return {
    async create (userId, wanted, options = {}) {
      const { em, createdBy } = knownOptions('keys.create', ['em', 'createdBy'], options)
      const { name, scopes, expiresIn } = knownOptions('keys.create', ['name', 'scopes', 'expiresIn'], wanted)
      const lifetime = typeof expiresIn === 'string' ? secondsOf(expiresIn) : expiresIn
      if (createdBy !== undefined && !isId(createdBy)) throw new OptionsInvalid('createdBy is the id of a user')
      read({ name, scopes, expires_in: lifetime })
      return shownOnce(await managing.create(userId, { name: name.trim(), scopes, lifetime }, { em, createdBy }))
    },

    async list (userId, options = {}) {
      const { em } = knownOptions('keys.list', ['em'], options)
      if (!isId(userId)) return []
      return (await inTransactionOf(database, em)((tx) => rows.livingOf(tx, userId))).map(infoOf)
    },

    async rotate (userId, id, options = {}) {
      const { em, overlap } = knownOptions('keys.rotate', ['em', 'overlap'], options)
      if (overlap !== undefined && !isDuration(overlap, { zero: true, most: mostOverlapSeconds })) {
        throw new OptionsInvalid('keys.rotate() needs an overlap of at most 7 days')
      }
      const seconds = overlap === undefined ? undefined : inSeconds(overlap)
      return shownOnce(await managing.rotate(userId, id, seconds, { em }))
    },

    async revoke (userId, id, options = {}) {
      const { em } = knownOptions('keys.revoke', ['em'], options)
      if (!await managing.revoke(userId, id, { em })) throw new NotFound()
    },
  }
}

function secondsOf (duration: string): number {
  if (!isDuration(duration)) throw new InputInvalid('key/expires_in must be a duration')
  return inSeconds(duration)
}

function shownOnce ({ key, row }: MadeKey): NewKey {
  return { key, ...infoOf(row) }
}

function infoOf ({
  id, userId, name, hint, scopes, createdAt, createdBy, expiresAt, lastUsedAt, lastUsedIp,
}: KeyRow): KeyInfo {
  return { id, userId, name, hint, scopes, createdAt, createdBy, expiresAt, lastUsedAt, lastUsedIp }
}
