import { PasswordRejected } from '../errors.ts'
import type { Settings } from '../settings.ts'

/**
 * Looks at a new password: its length in code points, and nothing that a keyboard cannot type. No rule asks for kinds
 * of characters (NIST SP 800-63B-4 §3.1.1.2).
 * @throws {PasswordRejected} `ACCOUNTS_PASSWORD_REJECTED`, naming the rule
 */
export function checkPassword (password: string, { minLength, maxLength }: Settings['password']): void {
  const length = [...password.normalize('NFKC')].length

  if (length < minLength) throw new PasswordRejected(`must have at least ${minLength} characters`)
  if (length > maxLength) throw new PasswordRejected(`must have at most ${maxLength} characters`)
  if (/[\p{Cc}\p{Cs}]/u.test(password)) throw new PasswordRejected('must not hold control characters')
}
