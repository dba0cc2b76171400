import type { TString } from '@sinclair/typebox'
import type { AnyReply, AnyRequest } from '../../http/request.ts'
import type { User } from '../../users/entity.ts'
import type { Spine } from '../spine.ts'
import type { Attempted, Limits } from '../throttle/limits.ts'
import type { Credentials } from './credentials.ts'
import type { Hasher } from './hasher.ts'
import type { ChangePassword } from './password-change.ts'
import type { Queue } from './queue.ts'
import type { Owner } from './rule.ts'

/** What others may do with passwords. */
export interface Passwords extends Pick<Hasher, 'knows'>, Pick<Credentials, 'match'>, Pick<Queue, 'admit'> {
  /** A new password, with the rules that a form can show. */
  PasswordSchema: TString
  /**
   * The hash of a new password.
   * @throws {PasswordRejected} `ACCOUNTS_PASSWORD_REJECTED`, naming the first rule that is broken
   * @throws {Busy}
   */
  take: (password: string, owner: Owner, gone?: AbortSignal) => Promise<string>
  /**
   * The user of a name or an address, if that is the password: the one way for routes to ask for both.
   * @throws {CredentialsInvalid} one 401, after the same work, for a wrong name, a wrong password and a disabled user
   * @throws {Throttled | Busy}
   */
  identify: (request: AnyRequest, reply: AnyReply, identifier: string, password: string) => Promise<User>
}

/** What the routes of passwords use beside the spine. */
export interface PasswordParts {
  spine: Spine
  throttle: Limits
  passwords: Passwords
  credentials: Credentials
  changePassword: ChangePassword
  /** As whom somebody who is signed in tries a password. */
  attemptedBy: (request: AnyRequest) => Promise<Attempted>
}
