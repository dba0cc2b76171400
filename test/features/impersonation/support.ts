import type { Test } from 'tap'
import type { AccountsOptions } from '../../../lib/index.ts'
import { signIn } from '../../../lib/testing.ts'
import { bearer, buildOnFile } from '../../support/build.ts'

export const lending: AccountsOptions = {
  admin: { roles: { admin: ['*'], support: ['users:read', 'users:impersonate'] }, impersonation: true },
  routes: { users: true },
  events: { store: true },
}

export const impersonated = { statusCode: 403, code: 'ACCOUNTS_IMPERSONATED' }

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** An app in which admins borrow sessions, with Root, who may, and Ada, of whom. */
export async function buildLending (t: Test, options: AccountsOptions = {}) {
  const built = await buildOnFile(t, { ...lending, ...options })
  const { app, sql } = built
  const root = await signIn(app, { username: 'root', roles: ['support'] }, { transport: 'body' })
  const ada = await signIn(app, { username: 'ada', email: 'ada@example.com' }, { transport: 'body' })
  const impersonate = (
    id = ada.user.id, payload: object = { reason: 'Ticket 1' }, token = root.tokens.access_token
  ) => app.inject({ method: 'POST', url: `/auth/users/${id}/impersonate`, headers: bearer(token), payload })

  return {
    ...built,
    root,
    ada,
    impersonate,
    /** The token of a session of Ada's that Root has borrowed. */
    borrow: async () => (await impersonate()).json().access_token as string,
    send: (method: Method, url: string, token: string, payload?: object) =>
      app.inject({ method, url, headers: bearer(token), ...payload && { payload } }),
    /** The stored events of a type, the oldest first. */
    events: (type: string) => sql.all('select * from accounts_events where type = ? order by id', type),
  }
}
