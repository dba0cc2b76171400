// On each database.
import { test } from 'tap'
import { build } from '../../support/build.ts'
import { buildWithMail } from '../../support/mail.ts'
import { channelsOf } from './channels.ts'
import { buildWithKeys } from './with-keys.ts'

test('code makes, lists, rotates and ends the keys of a user', async (t) => {
  const { ada, app, get } = await buildWithKeys(t)
  const { keys } = app.accounts
  const userId = ada.user.id
  const made = await keys.create(userId, { name: ' Nightly ', scopes: ['orders:read'], expiresIn: '7d' })
  t.match(made, { userId, name: 'Nightly', scopes: ['orders:read'], lastUsedAt: null, lastUsedIp: null })
  t.equal(made.expiresAt!.getTime() - made.createdAt.getTime(), 7 * 86_400_000)
  t.equal((await get('/orders', made.key)).statusCode, 200)

  const { key: _, ...info } = made
  t.strictSame(await keys.list(userId), [info])
  t.strictSame(await keys.list('nobody'), [])
  const rotated = await keys.rotate(userId, made.id, { overlap: 0 })
  t.match(rotated, { id: made.id, name: 'Nightly' })
  t.equal((await get('/orders', made.key)).statusCode, 401)
  t.equal((await get('/orders', rotated.key)).statusCode, 200)
  t.match(await keys.rotate(userId, made.id), { id: made.id })
  t.equal((await get('/orders', rotated.key)).statusCode, 200, 'for the usual overlap')
  const createdBy = '019c2a64-6f3e-7b42-9c39-5d6bb1a3f0d1'
  t.match(await keys.create(userId, { name: 'CI', expiresIn: 60 }, { createdBy }), { name: 'CI', createdBy })

  await keys.revoke(userId, made.id)
  t.equal((await get('/orders', rotated.key)).statusCode, 401)
  await t.rejects(keys.revoke(userId, made.id), { code: 'ACCOUNTS_NOT_FOUND' })
  await t.rejects(keys.revoke('nobody', made.id), { code: 'ACCOUNTS_NOT_FOUND' })
  await t.rejects(keys.rotate(userId, made.id), { code: 'ACCOUNTS_NOT_FOUND' })
})

test('code is told what it asks wrongly', async (t) => {
  const { ada, app } = await buildWithKeys(t)
  const { keys } = app.accounts
  const id = ada.user.id
  const wrong: object[] = [
    {}, { name: '' }, { name: 'CI', scopes: ['any'] }, { name: 'CI', expiresIn: '2y' }, { name: 'CI', expiresIn: '366d' },
    { name: 'CI', expiresIn: null },
  ]
  for (const wanted of wrong) await t.rejects(keys.create(id, wanted as never), { code: 'ACCOUNTS_INPUT_INVALID' })
  const code = 'ACCOUNTS_OPTIONS_INVALID'
  await t.rejects(keys.create(id, { name: 'CI', scope: 'any' } as never), { code })
  await t.rejects(keys.create(id, { name: 'CI' }, { tx: 1 } as never), { code })
  await t.rejects(keys.create(id, { name: 'CI' }, { createdBy: 'me' }), { code })
  await t.rejects(keys.rotate(id, id, { overlap: '8d' }), { code })
})

test('what code does with keys belongs to its transaction', async (t) => {
  const { ada, app, get } = await buildWithKeys(t)
  const { keys, orm } = app.accounts
  const [kept, ended] = [await keys.create(ada.user.id, { name: 'kept' }), await keys.create(ada.user.id, { name: 'ended' })]
  const undone = orm.em.fork().transactional(async (em) => {
    await keys.create(ada.user.id, { name: 'never' }, { em })
    await keys.revoke(ada.user.id, kept.id, { em })
    t.equal((await keys.list(ada.user.id, { em })).length, 2)
    throw new Error('changed my mind')
  })
  await t.rejects(undone, { message: 'changed my mind' })
  await orm.em.fork().transactional((em) => keys.revoke(ada.user.id, ended.id, { em }))
  t.strictSame((await keys.list(ada.user.id)).map(({ name }) => name), ['kept'])
  t.equal((await get('/keyed', kept.key)).statusCode, 200)
  t.equal((await get('/keyed', ended.key)).statusCode, 401)
})

test('what happens to keys is told, and kept', async (t) => {
  const told = channelsOf(t, ['key-created', 'key-rotated', 'key-revoked'])
  const { ada, makeKey, ofKey } = await buildWithKeys(t, { events: { store: true } })
  const { id: keyId, key } = await makeKey()
  await ofKey('POST', `/${keyId}/rotate`, {})
  await ofKey('DELETE', `/${keyId}`)
  t.match(told(), ['key-created', 'key-rotated', 'key-revoked'].map((type) =>
    ({ type, instance: 'accounts', userId: ada.user.id, sessionId: /-/, data: { keyId }, ip: '127.0.0.1' })))
  t.notMatch(JSON.stringify(told()), key)
})

test('a user is told of a new key by mail, if their address is proved', async (t) => {
  const { app, flush, mails, signUpWithMail } = await buildWithMail(t, { keys: true })
  const { user } = await signUpWithMail()
  const { key } = await app.accounts.keys.create(user.id, { name: 'unproved' })
  await flush()
  t.strictSame(mails.mails, [])
  await app.accounts.users.update(user.id, { email: 'ada@example.com' })
  await app.accounts.users.verifyEmail(user.id, 'ada@example.com')
  await app.accounts.keys.create(user.id, { name: 'CI' })
  const mail = await mails.next('key-created')
  t.match(mail, { to: { address: 'ada@example.com' }, subject: /API key/ })
  t.notMatch(`${mail.text}${mail.html}`, /CI|unproved/, 'a name is what a stranger may have chosen')
  t.notMatch(`${mail.text}${mail.html}`, key)
})

test('keys of one instance are nothing to another', async (t) => {
  const { makeKey } = await buildWithKeys(t)
  const other = await build(t, { keys: true })
  other.app.get('/keyed', { preHandler: other.app.accounts.guard({ keys: true }) }, async () => 'in')
  t.match((await other.get('/keyed', (await makeKey()).key)).json(), { code: 'ACCOUNTS_TOKEN_INVALID' })
})
