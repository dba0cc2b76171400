import type { EntityManager } from '@mikro-orm/core'
import { Callable, DurationSchema, Group } from '../../checks/kinds.ts'
import { settled, type Filled } from '../../checks/slice.ts'
import type { AccountsUser } from '../../users/public-user.ts'
import { RouteSchema } from '../routes.ts'

/** Deletes what belongs to an account, in the transaction that deletes it. */
export type OnClose = (em: EntityManager, user: AccountsUser) => unknown

export const options = {
  closing: Group({
    grace: DurationSchema(0, {
      zero: true,
      most: 90 * 86400,
      description: 'How long an account is kept that its user has closed, up to 90 days: until it is over they can ' +
        'restore it. 0 deletes at once.',
    }),
  }),
}

export const hooks = {
  onClose: Callable<OnClose>('OnClose', {
    description: 'In the transaction that deletes an account which its user has closed, before it is deleted: write ' +
      'or delete with `em` what is yours. One that throws leaves the account there: at once the error is the answer, ' +
      'as in `onRegister`; after a grace it is logged, and asked again the next time.',
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
