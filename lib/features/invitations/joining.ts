import { withHost } from '../../database/with-host.ts'
import { Forbidden } from '../../guards/errors.ts'
import type { Client } from '../../http/request.ts'
import type { Mailing } from '../../mail/mail.ts'
import type { OneTimeRow } from '../../one-time/rows.ts'
import { TokenRevoked } from '../../sessions/errors.ts'
import { User } from '../../users/entity.ts'
import { lentUntil } from '../../users/lending.ts'
import type { Spine } from '../spine.ts'
import type { Invitation } from './invitation.ts'
import type { InvitationSettings } from './options.ts'

/**
 * Accepts an invitation for somebody who has an account: it proves their address, if it is theirs, and gives them its
 * roles.
 * @throws {TokenRevoked} for somebody who is not there any more
 * @throws {Forbidden} for another address
 * @throws {ProofInvalid} where it is not good any more
 * @throws what the host's hook throws
 */
export type Join = (userId: string, proof: OneTimeRow, invitation: Invitation, client: Client) => Promise<void>

export function createJoin (
  { database, sessions: { endings, revocationLog }, users: { isAdmin, lookUp, permissions, publicUsers } }: Spine,
  { oneTimes }: Pick<Mailing, 'oneTimes'>,
  { hooks: { onInvitationAccepted } }: InvitationSettings
): Join {
  return (userId, proof, { data, inviterId, ...invitation }, client) => withHost(database, (callHost) =>
    revocationLog.record(async (tx, write, note) => {
      const user = await lookUp.locked(tx, userId)
      if (!user) throw new TokenRevoked()
      if (user.emailKey !== proof.addressKey) throw new Forbidden()
      await oneTimes.use(tx, proof)
      const roles = [...new Set([...user.roles, ...invitation.roles])]
      const now = new Date()
      const change = { roles, isAdmin: isAdmin({ ...user, roles }), emailVerifiedAt: user.emailVerifiedAt ?? now }
      await tx.nativeUpdate(User, { id: userId }, { ...change, updatedAt: now })
      const borrowed = await endings.markBorrowed(tx, lentUntil(permissions, user, { roles }), userId)
      for (const sessionId of borrowed) await write('session', sessionId)
      await write('user', userId, user.epoch)
      await note({ type: 'invitation-accepted', userId, client })
      await callHost(tx, onInvitationAccepted, publicUsers.of({ ...user, ...change }), { data, inviterId })
    }))
}
