import type { EntityManager } from '@mikro-orm/core'
import { Callable, DurationSchema, Group } from '../../checks/kinds.ts'
import { settled, type Filled } from '../../checks/slice.ts'
import type { AccountsUser } from '../../users/public-user.ts'
import { RouteSchema } from '../routes.ts'

/** Called in the transaction that deletes an account, to delete what belongs to it. */
export type OnClose = (em: EntityManager, user: AccountsUser) => unknown

export const options = {
  closing: Group({
    grace: DurationSchema(0, {
      zero: true,
      most: 90 * 86400,
      description: 'How long a closed account is kept before it is deleted, up to 90 days. Until then its user can ' +
        'restore it. 0 deletes at once.',
    }),
  }),
}

export const hooks = {
  onClose: Callable<OnClose>('OnClose', {
    description: 'Runs in the transaction that deletes a closed account, before the deletion: write or delete your ' +
      'own rows with `em`. If it throws, the account is not deleted. Without a grace period the error is the ' +
      'response, as in `onRegister`; after one it is logged, and the hook runs again at the next attempt.',
  }),
}

export const routes = {
  restore: RouteSchema('/me/restore', true, '`POST /me/restore`, with `closing.grace`.', {
    method: 'POST', isOfUse: (_, { closing }: Filled<typeof options>) => closing.grace !== 0,
  }),
}

/** What the settings say of accounts that are closed. */
export type ClosingSettings = ReturnType<typeof read> & { hooks: { onClose?: OnClose } }

export function read (given: Filled<typeof options>) {
  return settled(options, given)
}
