import type { RouteOptions } from 'fastify'
import t from 'tap'
import { guardOf } from '../../../lib/guards/guard.ts'
import accounts from '../../../lib/index.ts'
import { signIn } from '../../../lib/testing.ts'
import { permissionNames, type Permission } from '../../../lib/users/permissions.ts'
import { bearer, cheap, secret } from '../../support/build.ts'
import { Fastify } from '../../support/fastify.ts'

const table: Record<string, Permission> = {
  'DELETE /auth/users/:id/factors': 'factors:reset',
  'GET /auth/users': 'users:read',
  'GET /auth/users/:id': 'users:read',
  'PATCH /auth/users/:id': 'users:write',
  'DELETE /auth/users/:id': 'users:delete',
  'GET /auth/users/:id/sessions': 'sessions:end',
  'DELETE /auth/users/:id/sessions/:sid': 'sessions:end',
  'DELETE /auth/users/:id/sessions': 'sessions:end',
  'POST /auth/users/:id/impersonate': 'users:impersonate',
  'POST /auth/invitations': 'users:invite',
  'GET /auth/invitations': 'users:invite',
  'DELETE /auth/invitations/:id': 'users:invite',
  'POST /auth/invitations/:id/send': 'users:invite',
  'GET /auth/events': 'audit:read',
  'GET /auth/events/verify': 'audit:read',
}

const bodies: Record<string, object> = {
  'PATCH /auth/users/:id': { disabled: true },
  'POST /auth/users/:id/impersonate': { reason: 'Ticket 1' },
  'POST /auth/invitations': { email: 'new@example.com' },
}

t.test('each route of admins takes its own permission alone, and all the others together do not open it', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const found: Record<string, Permission> = {}
  app.addHook('onRoute', ({ method, url, onRequest }: RouteOptions) => {
    const [asked] = [onRequest].flat().flatMap((hook) => guardOf(hook ?? {})?.permission ?? [])
    if (asked && method !== 'HEAD') found[`${method} ${url}`] = asked.name
  })
  const roles = Object.fromEntries(permissionNames.flatMap((name) => [
    [`only ${name}`, [name]], [`all but ${name}`, permissionNames.filter((other) => other !== name)],
  ]))
  await app.register(accounts, {
    db: ':memory:',
    secret,
    throttle: false,
    password: cheap,
    admin: { roles, impersonation: true },
    events: { store: true },
    factors: true,
    mail: { links: { invite: '/join' } },
    routes: { users: true, invitations: true, events: true },
  })
  await app.ready()
  t.same(found, table)

  let count = 0
  const hire = async (given: string[]) => {
    const name = `user${count++}`
    return signIn(app, { username: name, email: `${name}@example.com`, roles: given }, { transport: 'body' })
  }
  const staff = new Map<string, string>()
  for (const role of Object.keys(roles)) staff.set(role, (await hire([role])).tokens.access_token!)

  for (const [route, permission] of Object.entries(found)) {
    const [method, path] = route.split(' ') as ['GET', string]
    const { user } = await hire([])
    const url = path.replace(':id', user.id).replace(':sid', user.id)
    const ask = (role: string) => app.inject({
      method,
      url,
      headers: bearer(staff.get(role)),
      ...bodies[route] && { payload: bodies[route] },
    })
    t.match((await ask(`all but ${permission}`)).json(), { statusCode: 403, code: 'ACCOUNTS_FORBIDDEN' }, route)
    // What is not there is no refusal: only who may act learns it.
    const { statusCode } = await ask(`only ${permission}`)
    t.ok(statusCode < 300 || statusCode === 404, `${route}: ${statusCode}`)
  }
})
