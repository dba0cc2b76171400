import type { EntityManager } from '@mikro-orm/core'
import { withHost } from '../../database/with-host.ts'
import type { Happening } from '../../events/events.ts'
import type { Beginning } from '../../sessions/births.ts'
import type { Session } from '../../sessions/entity.ts'
import type { Draft } from '../../users/draft.ts'
import { User } from '../../users/entity.ts'
import type { Spine } from '../spine.ts'
import type { RegisterEvents } from './events.ts'

/** What the host adds to a transaction of ours. */
export type Join = (em: EntityManager) => unknown

/** What of ours is written before the new user, such as a mail to them, or that a proof is used. */
type Within = (tx: EntityManager) => Promise<void>

/**
 * Adds a user and a first session, both or neither. `issue` makes the answer before anything is written, so that
 * nothing is when it cannot. `join` is given the open transaction: nothing is stored either if it fails. So is
 * `within`.
 * @throws {UserExists} a 409, found by the database, so also in a race
 * @throws what `join` throws
 */
export type StoreRegistration = <Answer>(
  draft: Draft, beginning: Beginning, issue: (session: Session) => Answer, also: { within?: Within, join?: Join }
) => Promise<Answer>

export function createRegistering ({
  database,
  events,
  sessions,
  users: { taken, uniqueFields },
}: Spine): StoreRegistration {
  return async (draft, beginning, issue, { within, join }) => {
    const { answer, happening } = await withHost(database, (callHost) =>
      taken.storing(() => ({ ...draft, isNew: true }), () => database.transaction(async (tx) => {
        const user = { ...draft, lastLoginAt: draft.createdAt }
        const session = sessions.begin(user, user.epoch, beginning)
        const answer = issue(session)
        // First: of two who use one proof the second is told so, and not that the name is taken.
        await within?.(tx)
        await tx.insert(User, user)
        await uniqueFields.note(tx, user.id, user.profile)
        await sessions.store(tx, session)
        const happening: Happening<RegisterEvents> = {
          type: 'register',
          userId: user.id,
          sessionId: session.id,
          client: beginning,
        }
        await events.write(tx, happening)
        if (join) await callHost(tx, join)
        return { answer, happening }
      })))
    events.tell(happening)
    return answer
  }
}
