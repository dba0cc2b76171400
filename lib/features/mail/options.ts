import type { EntityManager } from '@mikro-orm/core'
import { Callable } from '../../checks/kinds.ts'
import type { AccountsUser } from '../../users/public-user.ts'

/** Takes away what belongs to an account, in the transaction in which somebody proves it theirs. */
export type OnReclaim = (em: EntityManager, user: AccountsUser) => unknown

export const hooks = {
  onReclaim: Callable<OnReclaim>('OnReclaim', {
    description: 'Somebody has proved to read the mailbox of an account whose address nobody had proved before: its ' +
      'sessions and its password are void. In the transaction of that: take away with `em` what a stranger may have ' +
      'left, such as linked identities. An error of its own with a `statusCode` of 4xx is the answer, any other a ' +
      '500 that says nothing; then nothing has happened.',
  }),
}

/** What the settings say of reclaimed accounts. */
export interface MailHooks {
  hooks: { onReclaim?: OnReclaim }
}
