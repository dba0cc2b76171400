import { Callable } from '../../checks/kinds.ts'
import type { AccountsUser } from '../../users/public-user.ts'
import { RouteSchema } from '../routes.ts'

/** Gives what the app keeps of a user, as what JSON can say. */
export type OnExport = (user: AccountsUser) => unknown

export const hooks = {
  onExport: Callable<OnExport>('OnExport', {
    description: 'What the app keeps of a user, as JSON, or a promise of it: the member `app` of an export, which ' +
      'waits for it. An error of its own with a `statusCode` of 4xx is the answer, any other a 500 that says nothing.',
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
