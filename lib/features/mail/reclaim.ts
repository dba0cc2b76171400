import type { EntityManager } from '@mikro-orm/core'
import type { CallHost } from '../../database/with-host.ts'
import type { OnReclaim } from './options.ts'
import type { OneTimes } from '../../one-time/one-time.ts'
import type { Note } from '../../sessions/revocation-log.ts'
import type { User } from '../../users/entity.ts'
import type { PublicUsers } from '../../users/public-user.ts'
import type { Client } from '../../http/request.ts'

/**
 * Makes void what came before on an account whose address nobody had proved, once somebody has: whoever opened it may
 * have been somebody else (pre-hijacking). In the transaction of the proof, which has locked the user, ended every
 * session and replaced the password.
 */
export type Reclaim = (
  tx: EntityManager, user: User, telling: { note: Note, callHost: CallHost, client?: Client | undefined }
) => Promise<void>

/** What features take away beside. Each adds its own when it is opened. */
export type ReclaimAlso = (tx: EntityManager, user: User) => Promise<void>

export function createReclaim (
  oneTimes: Pick<OneTimes, 'voidOf'>, publicUsers: PublicUsers, also: ReclaimAlso[], onReclaim: OnReclaim | undefined
): Reclaim {
  return async (tx, user, { note, callHost, client }) => {
    await oneTimes.voidOf(tx, user.id)
    for (const take of also) await take(tx, user)
    await note({ type: 'reclaim', userId: user.id, client })
    await callHost(tx, onReclaim, publicUsers.of(user))
  }
}
