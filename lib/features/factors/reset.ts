import type { EntityManager } from '@mikro-orm/core'
import { InputInvalid } from '../../http/errors.ts'
import type { User } from '../../users/entity.ts'
import type { Asked, RemoveFor } from './removing.ts'
import { LastCredential } from './errors.ts'
import type { Factors, Method } from './factors.ts'

/** What is taken away, by the names that `GET /factors` has; devices are those that are remembered. */
export type Which = Record<string, boolean | undefined> & { devices?: boolean | undefined }

/**
 * Takes factors of a user away, all where none is named, and ends all sessions: for who has lost them.
 * @throws {NotFound} where there is no such user
 * @throws {LastCredential} where the user has no password, and the passkeys are the way in
 */
export type Reset = (userId: string, which: Which | undefined, asked: Asked) => Promise<void>

export function createReset ({ methods }: Pick<Factors, 'methods'>, removeFor: RemoveFor): Reset {
  async function remove (tx: EntityManager, { id, passwordHash }: User, { name, remove }: Method): Promise<void> {
    const isGone = await remove(tx, id)
    if (isGone && name === 'passkey' && passwordHash === '') throw new LastCredential()
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
