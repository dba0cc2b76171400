// On each database.
import { test } from 'tap'
import { password } from '../../support/build.ts'
import { buildWithKeys } from '../api-keys/with-keys.ts'

test('a service account acts by its keys alone', async (t) => {
  const { app, get, post } = await buildWithKeys(t, { keys: { scopes: ['orders:read'] } })
  const { keys, users } = app.accounts
  const service = await users.create({ kind: 'service', username: 'nightly', roles: ['clerk'] })
  t.match(service, { kind: 'service', username: 'nightly', email: null, roles: ['clerk'] })
  t.match(await users.find('nightly'), { id: service.id, kind: 'service' })

  const { id, key } = await keys.create(service.id, { name: 'CI', scopes: ['orders:read'] })
  t.match((await get('/orders', key)).json(), { user: { id: service.id } })
  for (const wrong of ['', password]) {
    t.not((await post('/auth/login', { username: 'nightly', password: wrong })).statusCode, 200)
  }
  t.equal(await users.verifyPassword(service, password), null)
  await t.rejects(app.accounts.issueTokens(service.id), { code: 'ACCOUNTS_CREDENTIALS_INVALID' })

  await users.disable(service.id)
  t.equal((await get('/orders', key)).statusCode, 401)
  t.strictSame((await keys.list(service.id)).filter((one) => one.id === id), [])
})

test('a service account never gets a password or an address', async (t) => {
  const { app } = await buildWithKeys(t)
  const { users } = app.accounts
  const code = 'ACCOUNTS_INPUT_INVALID'
  const names = { kind: 'service', username: 'nightly' } as const
  for (const more of [{ password }, { passwordHash: '$argon2id$' }, { email: 'n@example.com' }, { username: 'n@x' }]) {
    await t.rejects(users.create({ ...names, ...more }), { code })
  }
  await t.rejects(users.create({ kind: 'service' }), { code })
  await t.rejects(users.create({ kind: 'robot' as never, username: 'nightly', password }), { code })

  const { id } = await users.create(names)
  await t.rejects(users.setPassword(id, 'an0ther long password'), { code })
  await t.rejects(users.update(id, { email: 'n@example.com' }), { code })
  t.match(await users.update(id, { username: 'daily' }), { kind: 'service', username: 'daily', email: null })
  t.match(await users.create({ kind: 'person', username: 'eve', password }), { kind: 'person' })
})

test('of a service account no other password is asked for, where mails could ask', async (t) => {
  const { app } = await buildWithKeys(t, { mail: true, email: { verification: 'none' } })
  const { users } = app.accounts
  const { id } = await users.create({ kind: 'service', username: 'nightly' })
  await t.rejects(users.requireReset(id), { code: 'ACCOUNTS_INPUT_INVALID' })
  t.match(await users.find(id), { resetDueAt: null })
})

test('a service account is not who is left to give roles, and nobody borrows its session', async (t) => {
  const { ada, app } = await buildWithKeys(t, { admin: { impersonation: true } })
  const { users } = app.accounts
  await users.setRoles(ada.user.id, ['admin'])
  const { id } = await users.create({ kind: 'service', username: 'nightly', roles: ['admin'] })
  const closing = await app.inject({
    method: 'DELETE', url: '/auth/me', headers: { authorization: `Bearer ${ada.access_token}` },
  })
  t.match(closing.json(), { code: 'ACCOUNTS_LAST_ADMIN' })
  await users.setRoles(id, [])
  await t.rejects(users.impersonate(id, { actorId: ada.user.id, reason: 'to look' }), { code: 'ACCOUNTS_FORBIDDEN' })
})
