import type { FastifyBaseLogger } from 'fastify'
import { ask } from '../../host/ask.ts'
import { PasswordRejected } from './errors.ts'
import { createBlocklist } from './blocklist.ts'
import { createBreachCheck } from './breached.ts'
import { createContextRule } from './context-words.ts'
import type { PasswordSettings } from './options.ts'
import type { Owner, Rule } from './rule.ts'

export interface Policy {
  /**
   * Looks at a new password, by the rules in their order: what needs no list, the lists that we hold, the app's own
   * rule, and last the one that asks elsewhere. None asks for kinds of characters (NIST SP 800-63B-4 §3.1.1.2).
   * @throws {PasswordRejected} `ACCOUNTS_PASSWORD_REJECTED`, naming the first rule that is broken
   * @throws {Unavailable} where the list of breaches must be asked and cannot be
   * @throws the reason of `gone`, when the client does not wait for that list any more
   */
  check: (password: string, owner: Owner, gone?: AbortSignal) => Promise<void>
}

export function createPolicy ({ password: settings }: PasswordSettings, log: FastifyBaseLogger): Policy {
  const { blocklist, contextWords, check, breached } = settings
  const rules: Rule[] = [
    lengths(settings),
    ...blocklist ? [createBlocklist()] : [],
    createContextRule(contextWords),
    ...check ? [ownRule(check)] : [],
    ...breached ? [createBreachCheck(breached, log)] : [],
  ]

  return {
    async check (given, { username, email }, gone) {
      const password = given.normalize('NFKC')
      for (const rule of rules) {
        const broken = await rule(password, { username, email }, gone)
        if (broken) throw new PasswordRejected(broken)
      }
    },
  }
}

/** The length in code points, and no characters that nobody can type or that will mean something else. */
function lengths ({ minLength, maxLength }: PasswordSettings['password']): Rule {
  return (password) => {
    const length = [...password].length
    if (length < minLength) return `must have at least ${minLength} characters`
    if (length > maxLength) return `must have at most ${maxLength} characters`
    if (/[\p{Cc}\p{Cs}]/u.test(password)) return 'must not hold control characters'
    // Another version of Unicode may normalise them, and the password would be another one.
    return /\p{Cn}/u.test(password) ? 'must not hold characters that are not assigned in Unicode' : undefined
  }
}

/** The rule of the app's own: only `true` is a yes, and a text says what is missing. */
function ownRule (check: NonNullable<PasswordSettings['password']['check']>): Rule {
  return async (password, owner) => {
    const answer: unknown = await ask(() => check(password, owner))
    if (answer === true) return undefined
    return typeof answer === 'string' && answer !== '' ? answer : 'must be another one: this one is not allowed here'
  }
}
