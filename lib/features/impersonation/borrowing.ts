import type { EntityManager } from '@mikro-orm/core'
import { Forbidden } from '../../guards/errors.ts'
import { clientOf, storableText, type AnyRequest } from '../../http/request.ts'
import { TokenRevoked } from '../../sessions/errors.ts'
import { isId } from '../../tokens/claims.ts'
import { IssuingOff } from '../../tokens/errors.ts'
import { canSign } from '../../tokens/key.ts'
import type { AccessToken } from '../../tokens/tokens.ts'
import type { User } from '../../users/entity.ts'
import { rightsOf } from '../../users/lending.ts'
import { NotFound } from '../../users/errors.ts'
import type { AccountsUser } from '../../users/public-user.ts'
import type { Spine } from '../spine.ts'
import type { ImpersonationSettings } from './options.ts'

/** The answer that brings the token of a borrowed session, and whose it is. There is no refresh token. */
export interface BorrowedResponse extends AccessToken {
  /** The user that the token stands for. */
  user: AccountsUser
}

/** Who borrows a session, and why. */
export interface Borrower {
  actorId: string
  /** The epoch of the token with which they ask. Undefined where code asks for them. */
  ver?: number
  reason: string
  request?: AnyRequest | undefined
  em?: EntityManager | undefined
}

/**
 * Begins a session of a user for an admin.
 * @throws {NotFound} where there is no such user, or no such borrower
 * @throws {Forbidden} for oneself, for who has a permission, is a service, is disabled or closes the account, and for a
 * borrower who may not (any more)
 * @throws {TokenRevoked} where the borrower was signed out since the guard let them in
 * @throws {IssuingOff} where there are public keys only
 */
export type Borrow = (userId: string, borrower: Borrower) => Promise<BorrowedResponse>

export function createBorrow (
  { mail, sessions: { revocationLog }, signIn, tokens, users: { lookUp, permissions, publicUsers } }: Spine,
  { keys, impersonation }: ImpersonationSettings
): Borrow {
  const { lifeSeconds: seconds, notify } = impersonation!
  const rights = (user: User) => rightsOf(permissions, user)
  const isActive = ({ disabledAt, closesAt }: User) => disabledAt === null && closesAt === null

  /** Locks both, always in the order of their ids: nobody's roles or sessions change until the session is stored. */
  async function lockBoth (tx: EntityManager, userId: string, actorId: string) {
    const locked = new Map<string, User | null>()
    for (const id of [userId, actorId].toSorted()) locked.set(id, await lookUp.locked(tx, id))
    return { user: locked.get(userId), actor: locked.get(actorId) }
  }

  function requireRight (actor: User | null | undefined, ver = Infinity): void {
    if (!actor || ver < actor.epoch) throw ver === Infinity ? new NotFound() : new TokenRevoked()
    if (!isActive(actor) || !rights(actor).has('users:impersonate')) throw new Forbidden()
  }

  return async (userId, { actorId, ver, reason, request, em }) => {
    if (!canSign(keys)) throw new IssuingOff()
    if (userId === actorId) throw new Forbidden()
    const found = isId(actorId) && await lookUp.byId(userId, em)
    if (!found) throw new NotFound()
    const { data, claims } = await signIn.givenByHost(found, request)
    const client = request && clientOf(request)
    // Without control characters, which not every database can keep: of the characters there are 200 at most.
    const text = storableText(reason, 400)!

    return revocationLog.record(async (tx, _, note) => {
      const { user, actor } = await lockBoth(tx, userId, actorId)
      if (!user) throw new NotFound()
      requireRight(actor, ver)
      if (user.kind === 'service' || !isActive(user) || rights(user).size > 0) throw new Forbidden()
      const from = { ...client, ...request && { request } }
      const beginning = { ...from, transport: 'body' as const, data, borrowed: { actorId, seconds } }
      const { session, answer } = await signIn.begin(tx, user, beginning, (begun) => tokens.issueAccess(begun, claims))
      await note({
        type: 'impersonate', userId, sessionId: session.id, actor: actorId, client, data: { text },
      })
      if (notify) await mail?.notify(tx, 'impersonated', user)
      return { ...answer, user: publicUsers.of(user) }
    }, em)
  }
}
