import type { TString } from '@sinclair/typebox'
import type { AnyRequest } from '../../http/request.ts'
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
