import type { EntityManager } from '@mikro-orm/core'
import type { User } from '../../users/entity.ts'
import { NotFound } from '../../users/errors.ts'
import { LastCredential } from '../factors/errors.ts'
import type { Spine } from '../spine.ts'
import type { PasskeyRow, Rows } from './rows.ts'

/**
 * Takes a passkey away from a user, in the transaction that has locked them, and gives those that are left. Who removes
 * two at once cannot lose both last ways in.
 * @throws {NotFound} where the user has no such passkey
 * @throws {LastCredential} where nothing would be left that signs in
 */
export type RemovePasskey = (
  tx: EntityManager, user: Pick<User, 'id' | 'passwordHash'>, id: string
) => Promise<PasskeyRow[]>

export function createRemovePasskey ({ signIn }: Pick<Spine, 'signIn'>, rows: Rows): RemovePasskey {
  return async (tx, user, id) => {
    const { id: userId } = user
    if (!await rows.remove(tx, userId, id)) throw new NotFound()
    if (!await signIn.hasWayIn(tx, user)) throw new LastCredential()
    return rows.ofUser(tx, userId)
  }
}
