/** What a proof is good for. One of a purpose opens no other. */
export type Purpose = 'verify' | 'register' | 'change' | 'revert' | 'reset' | 'login' | 'invite' | 'restore'

/** How long proofs of a purpose are good. */
export interface Life {
  seconds: number
  /** How long their code is, which is shorter than the link and guessed at. None have only a link. */
  codeSeconds?: number
  /** Whether those that were made before one stay good when it is used, and however many are made after them. */
  keepsOlder?: true
}

const minute = 60
const hour = 60 * minute
const day = 24 * hour

/**
 * NIST SP 800-63B-4 gives codes sent by mail 24 hours at most, ASVS 5 6.5.5 ten minutes to those that sign in. What is
 * kept for longer than a code is has a link of 256 bits, which nobody guesses. That of `restore` is the grace of the
 * account. Whoever takes an account that is not theirs and changes its address again and again must not make void what
 * its owner was sent first.
 */
export const lives: Record<Exclude<Purpose, 'restore'>, Life> = {
  verify: { seconds: day, codeSeconds: 15 * minute },
  register: { seconds: day, codeSeconds: 15 * minute },
  change: { seconds: hour, codeSeconds: 15 * minute },
  revert: { seconds: 7 * day, keepsOlder: true },
  reset: { seconds: hour, codeSeconds: 10 * minute },
  login: { seconds: 10 * minute, codeSeconds: 10 * minute },
  invite: { seconds: 7 * day },
}

/** The life of a purpose, as far as it is always the same. */
export function lifeOf (purpose: Purpose): Partial<Life> {
  return Object.hasOwn(lives, purpose) ? lives[purpose as keyof typeof lives] : {}
}

/** Whether a purpose is one of the app's own. */
export function isOwnPurpose (purpose: string): boolean {
  return /^[a-z][a-z0-9-]{0,15}$/.test(purpose) && purpose !== 'restore' && !Object.hasOwn(lives, purpose)
}
