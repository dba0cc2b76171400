import type { EntityManager } from '@mikro-orm/core'
import type { Client } from '../../http/request.ts'
import type { Note } from '../../sessions/revocation-log.ts'
import type { User } from '../../users/entity.ts'
import { NotFound } from '../../users/errors.ts'
import { LastCredential } from '../factors/errors.ts'
import type { Spine } from '../spine.ts'
import type { Rows } from './rows.ts'

/**
 * Takes an identity away from a user, in the transaction that has locked them: who removes two at once cannot lose both
 * last ways in.
 * @throws {NotFound} where the user has no such identity
 * @throws {LastCredential} where nothing would be left that signs in
 */
export type RemoveIdentity = (
  tx: EntityManager, user: Pick<User, 'id' | 'passwordHash'>, id: string,
  telling: { note: Note, client?: Client | undefined }
) => Promise<void>

export function createRemoveIdentity ({ signIn }: Pick<Spine, 'signIn'>, rows: Rows): RemoveIdentity {
  return async (tx, user, id, { note, client }) => {
    const found = (await rows.ofUser(tx, user.id)).find((row) => row.id === id)
    if (!found || !await rows.remove(tx, user.id, id)) throw new NotFound()
    if (!await signIn.hasWayIn(tx, user)) throw new LastCredential()
    await note({ type: 'identity-unlinked', reason: found.provider, userId: user.id, client })
  }
}
