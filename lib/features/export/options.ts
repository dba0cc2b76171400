import { Callable } from '../../checks/kinds.ts'
import type { AccountsUser } from '../../users/public-user.ts'
import { RouteSchema } from '../routes.ts'

/** Returns the app's data about a user, as JSON. */
export type OnExport = (user: AccountsUser) => unknown

export const hooks = {
  onExport: Callable<OnExport>('OnExport', {
    description: 'Returns your data about a user as JSON, or a promise of it: the member `app` of an export, which ' +
      'waits for it. If it throws an error with a `statusCode` of 4xx, that is the response; any other error is a ' +
      '500 without details.',
  }),
}

export const routes = {
  export: RouteSchema('/me/export', true, '`GET /me/export`.', { method: 'GET' }),
}

/** What the settings say of exports. */
export interface ExportSettings {
  hooks: { onExport?: OnExport }
  events: { store: boolean }
}
