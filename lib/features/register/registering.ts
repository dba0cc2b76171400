import type { EntityManager } from '@mikro-orm/core'
import { withHost, type CallHost } from '../../database/with-host.ts'
import type { Happening } from '../../events/events.ts'
import type { Beginning } from '../../sessions/births.ts'
import type { Session } from '../../sessions/entity.ts'
import type { Draft } from '../../users/draft.ts'
import { User } from '../../users/entity.ts'
import type { Spine } from '../spine.ts'
import type { RegisterEvents } from './events.ts'

/** What is written beside a new user, in the same transaction: nothing is stored either if it fails. */
export interface Beside {
  /** What of ours is written before the user, such as a mail to them, or that a proof is used. */
  within?: (tx: EntityManager) => Promise<void>
  /** What of ours refers to the user, and is written after them. */
  added?: (tx: EntityManager) => Promise<void>
  /** What is told beside the registration. */
  happening?: Pick<Happening, 'type' | 'reason'>
  /** What the host writes, after all that is ours. */
  join?: (callHost: CallHost, tx: EntityManager) => Promise<void>
}

/**
 * Adds a user and a first session, both or neither: nothing is stored where `issue` cannot make the answer.
 * @throws {UserExists} a 409, found by the database, so also in a race
 * @throws what `within`, `added` and `join` throw
 */
export type StoreRegistration = <Answer>(
  draft: Draft, beginning: Beginning, issue: (session: Session) => Answer, beside: Beside
) => Promise<Answer>

export function createStoreRegistration ({
  database,
  events,
  signIn,
  users: { taken, uniqueFields },
}: Spine): StoreRegistration {
  return async (draft, beginning, issue, { within, added, happening, join }) => {
    const { answer, happenings } = await withHost(database, (callHost) =>
      taken.storing(() => ({ ...draft, isNew: true }), () => database.transaction(async (tx) => {
        const user = { ...draft, lastLoginAt: draft.createdAt }
        const { session, answer } = await signIn.begin(tx, user, beginning, issue, async () => {
          // First: of two who use one proof the second is told so, and not that the name is taken.
          await within?.(tx)
          await tx.insert(User, user)
          await uniqueFields.note(tx, user.id, user.profile)
          await added?.(tx)
        })
        const of = { userId: user.id, sessionId: session.id, client: beginning }
        const registered: Happening<RegisterEvents> = { type: 'register', ...of }
        const happenings = happening ? [registered, { ...happening, ...of }] : [registered]
        for (const each of happenings) await events.write(tx, each)
        await join?.(callHost, tx)
        return { answer, happenings }
      })))
    happenings.forEach(events.tell)
    return answer
  }
}
