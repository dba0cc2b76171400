import { Type, type Static } from '@sinclair/typebox'
import type { AccountEvent } from '../../events/events.ts'

const Id = Type.String({ maxLength: 36, pattern: '^[0-9a-f-]{36}$' })

const which = Type.Object({ keyId: Id }, { additionalProperties: false })

/** The data of what is told of API keys. */
export const keyData = { 'key-created': which, 'key-rotated': which, 'key-revoked': which }

/** `data.keyId` says which key. */
export type KeyEvent = AccountEvent<never, Static<typeof which>>

/** What is told of API keys. */
export interface KeyEvents {
  /** An API key was made. */
  'key-created': KeyEvent
  /** An API key has another text; the one of before is good for the overlap. */
  'key-rotated': KeyEvent
  /** An API key was ended by itself, and not with all of its user's. */
  'key-revoked': KeyEvent
}

/** What is counted of API keys. */
export const keyCounters = {
  /** Requests with a key that this process knew. */
  keysRemembered: 0,
  /** Keys that were read from the database. */
  keysRead: 0,
  /** Keys that were wrong, over, or nobody's. */
  keysRefused: 0,
}

export type KeyCounters = typeof keyCounters
