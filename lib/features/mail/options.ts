import type { EntityManager } from '@mikro-orm/core'
import { Callable } from '../../checks/kinds.ts'
import type { AccountsUser } from '../../users/public-user.ts'

/**
 * Called in the transaction in which somebody proves that an account is theirs, to remove what a stranger may have
 * left.
 */
export type OnReclaim = (em: EntityManager, user: AccountsUser) => unknown

export const hooks = {
  onReclaim: Callable<OnReclaim>('OnReclaim', {
    description: 'Somebody proved to own the so far unverified address of an account: its sessions and its ' +
      'password are no longer valid. Runs in the same transaction: remove with `em` what a stranger may have left, ' +
      'such as linked identities. If it throws an error with a `statusCode` of 4xx, that is the response; any ' +
      'other error is a 500 without details. Then nothing is stored.',
  }),
}

/** What the settings say of reclaimed accounts. */
export interface MailHooks {
  hooks: { onReclaim?: OnReclaim }
}
