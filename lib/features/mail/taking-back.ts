import type { EntityManager } from '@mikro-orm/core'
import type { Client } from '../../http/request.ts'
import type { Note } from '../../sessions/revocation-log.ts'
import type { User } from '../../users/entity.ts'

/** When an address was lost that takes its account back, and where that is asked for. */
export interface TakenBack {
  /** What came to the account from then on may be of whoever has changed the address. */
  since: Date
  note: Note
  client: Client
}

/**
 * Takes away what was added to an account since its address was changed, where the address of before takes it back. In
 * the transaction that has locked the user. A feature that keeps ways in adds one of its own when it is opened.
 */
export type TakeBackAlso = (tx: EntityManager, user: User, taken: TakenBack) => Promise<void>
