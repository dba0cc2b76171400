import type { EntityManager } from '@mikro-orm/core'
import { InputInvalid } from '../../http/errors.ts'
import type { User } from '../../users/entity.ts'
import type { Asked, RemoveFor } from './removing.ts'
import { LastCredential } from './errors.ts'
import type { Spine } from '../spine.ts'
import type { Factors, Method } from './factors.ts'

/** What is taken away, by the names that `GET /factors` has; devices are those that are remembered. */
export type Which = Record<string, boolean | undefined> & { devices?: boolean | undefined }

/**
 * Takes factors of a user away, all where none is named, and ends all sessions: for who has lost them.
 * @throws {NotFound} where there is no such user
 * @throws {LastCredential} where the passkeys are the only way in
 */
export type Reset = (userId: string, which: Which | undefined, asked: Asked) => Promise<void>

export function createReset (
  { signIn }: Pick<Spine, 'signIn'>, { methods }: Pick<Factors, 'methods'>, removeFor: RemoveFor
): Reset {
  async function remove (tx: EntityManager, user: User, { name, remove }: Method): Promise<void> {
    const isGone = await remove(tx, user.id)
    if (isGone && name === 'passkey' && !await signIn.hasWayIn(tx, user)) throw new LastCredential()
  }

  return async (userId, which, asked) => {
    const named = Object.entries(which ?? {}).filter(([, isMeant]) => isMeant).map(([name]) => name)
    if (which && Object.keys(which).length > 0 && named.length === 0) {
      throw new InputInvalid('body must name what is to go')
    }
    const chosen = methods.filter(({ shown: { name } }) => named.length === 0 || named.includes(name))
    await removeFor(userId, {
      type: 'factors-reset',
      reason: 'admin',
      async act (tx, user) {
        for (const method of chosen) await remove(tx, user, method)
      },
    }, asked)
  }
}
