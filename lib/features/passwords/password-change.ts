import type { Client } from '../../http/request.ts'
import type { Session } from '../../sessions/entity.ts'
import type { Proving } from '../../sessions/reauthentication.ts'
import { CredentialsInvalid } from '../../sign-in/errors.ts'
import { User } from '../../users/entity.ts'
import type { Spine } from '../spine.ts'
import type { Credentials } from './credentials.ts'
import type { Hasher } from './hasher.ts'
import type { Policy } from './policy.ts'

/** A new password, and the session that asks for it. */
export interface PasswordChange {
  userId: string
  /** By the access token that was shown. */
  shown: Proving
  current: string
  next: string
  client: Client
  /** Aborted when whoever asks has gone. */
  gone?: AbortSignal | undefined
  /** API keys that were made since then end too. */
  keysSince?: Date | undefined
}

/**
 * Gives a user another password, and ends every session but this one, which goes on with the tokens that `issue` makes,
 * and no earlier ones.
 * @throws {PasswordRejected} a 400 that names the rule
 * @throws {CredentialsInvalid} when the current one is not right
 * @throws {Busy} before anything is changed
 * @throws {TokenRevoked | TokenSuperseded} when this session is over meanwhile, or its token void
 */
export type ChangePassword = <Answer>(
  change: PasswordChange, prepare: (user: User) => Promise<(session: Session) => Answer>
) => Promise<Answer>

interface ChangeParts {
  spine: Spine
  policy: Policy
  hasher: Hasher
  credentials: Credentials
}

/** A user who is gone meanwhile. */
const nobody = { username: null, email: null }

export function createPasswordChange (
  { spine: { mail, sessions, users: { lookUp, needsOf } }, policy, hasher, credentials }: ChangeParts
): ChangePassword {
  return async ({ userId, shown: { sid: sessionId, gen }, current, next, client, gone, keysSince }, prepare) => {
    await policy.check(next, await lookUp.byId(userId) ?? nobody, gone)
    const user = await credentials.confirm(userId, current, client, gone)
    const issue = await prepare(user)
    const stronger = await hasher.hash(next, gone)

    return sessions.revocationLog.record(async (tx, write, note) => {
      const now = new Date()
      // Only over the hash that was verified: of two changes at once one is told that the password is another by now.
      const change = { passwordHash: stronger, passwordChangedAt: now, updatedAt: now }
      const changed = await tx.nativeUpdate(User, { id: userId, passwordHash: user.passwordHash }, change)
      if (changed === 0) throw new CredentialsInvalid()
      // Where a second factor is on, a password alone makes the session no fresher.
      const proof = { sessionId, gen, at: now, client, ...needsOf(user).hasFactor && { proved: null } }
      await sessions.endings.endOthers(tx, write, userId, 'password', proof, keysSince)
      await note({ type: 'password-changed', userId, sessionId, client })
      await mail?.notify(tx, 'passwordChanged', user, { client })
      return issue((await sessions.find(tx, sessionId))!)
    })
  }
}
