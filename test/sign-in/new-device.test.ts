// On each database.
import diagnostics from 'node:diagnostics_channel'
import t, { type Test } from 'tap'
import type { AccountsOptions } from '../../lib/index.ts'
import { clock } from '../../lib/testing.ts'
import { password } from '../support/build.ts'
import { buildWithMail } from '../support/mail.ts'

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
const newFirefox = firefox.replaceAll('140.0', '150.0')
const safari = 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Safari/604.1'

/** An app with Ada, whose address is proved, and who has signed in once with Firefox at home. */
async function withAda (t: Test, options: AccountsOptions = {}) {
  const built = await buildWithMail(t, options)
  const { app, flush, mails } = built
  await app.accounts.users.create({
    username: 'ada', email: 'ada@example.com', password, emailVerifiedAt: new Date(Date.now() - 1000),
  })
  const signIn = (remoteAddress: string, userAgent: string, headers: Record<string, string> = {}) => app.inject({
    method: 'POST',
    url: '/auth/login',
    payload: { username: 'ada', password },
    remoteAddress,
    headers: { 'user-agent': userAgent, ...headers },
  })
  await signIn('192.0.2.7', firefox)
  const told = async () => {
    await flush()
    const kinds = mails.mails.filter(({ kind }) => kind === 'new-device')
    mails.clear()
    return kinds
  }
  return { ...built, signIn, told }
}

t.test('a browser or a network that is new is told of by mail, and the first sign-in is not', async (t) => {
  const events: unknown[] = []
  const note = (event: unknown) => { events.push(event) }
  diagnostics.subscribe('fastify-jwt-accounts:new-device', note)
  t.teardown(() => diagnostics.unsubscribe('fastify-jwt-accounts:new-device', note))
  const { signIn, told } = await withAda(t)
  t.same(await told(), [])
  await signIn('192.0.2.200', newFirefox)
  t.same(await told(), [], 'the same family in the same network')

  const time = clock()
  t.teardown(time.restore)
  await signIn('192.0.2.7', safari, { 'accept-language': 'de' })
  const [mail] = await told()
  t.match(mail, {
    to: { address: 'ada@example.com' },
    subject: 'Eine neue Anmeldung bei Your app',
    text: /Von: 192\.0\.2\.7 mit Safari on iOS/,
  })
  time.advance('11m')
  await signIn('203.0.113.9', firefox)
  t.equal((await told()).length, 1)
  await signIn('2001:db8:1::1', firefox)
  t.same(await told(), [], 'no more than one in ten minutes')
  time.advance('11m')
  await signIn('2001:db8:1:ffff::2', firefox)
  t.same(await told(), [], 'the same network')
  t.match(events, [{ ip: '192.0.2.7' }, { ip: '203.0.113.9' }])
})

t.test('a browser that shows a cookie of the user is no new device, wherever it is', async (t) => {
  const { app, signIn, told } = await withAda(t, { transport: 'cookie', throttle: {} })
  const first = await signIn('192.0.2.7', firefox, { 'sec-fetch-site': 'same-origin' })
  const device = first.cookies.find(({ name }) => name === '__Secure-device')!
  await signIn('203.0.113.9', safari, { 'sec-fetch-site': 'same-origin', cookie: `${device.name}=${device.value}` })
  t.same(await told(), [])
  await signIn('198.51.100.9', safari, { 'sec-fetch-site': 'same-origin' })
  t.equal((await told()).length, 1)
  const ada = (await app.accounts.users.find('ada'))!
  await app.accounts.issueTokens(ada.id)
  t.same(await told(), [], 'nor is code')
})

t.test('it can be switched off, and no address that nobody has proved is told', async (t) => {
  const { signIn, told } = await withAda(t, { mail: { notices: { newDevice: false } } })
  await signIn('203.0.113.9', safari)
  t.same(await told(), [])

  const unproved = await buildWithMail(t)
  await unproved.signUpWithMail()
  await unproved.app.inject({
    method: 'POST', url: '/auth/login', payload: { username: 'ada', password }, remoteAddress: '203.0.113.9',
  })
  await unproved.flush()
  t.notOk(unproved.mails.mails.some(({ kind }) => kind === 'new-device'))
})

t.test('whoever has more roles, or whose session was ended for a theft, is told', async (t) => {
  const { app, flush, mails, signIn, refresh } = await withAda(t)
  const { refresh_token: stolen, user } = (await signIn('192.0.2.7', firefox)).json()
  await app.accounts.users.setRoles(user.id, ['editor'])
  await app.accounts.users.setRoles(user.id, [])
  await flush()
  t.match(mails.mails.map(({ kind }) => kind), ['roles-raised'])

  const time = clock()
  t.teardown(time.restore)
  const [owners, thiefs] = [(await refresh(stolen)).json().refresh_token, (await refresh(stolen)).json().refresh_token]
  time.advance('62s')
  t.equal((await refresh(owners)).statusCode, 200)
  time.advance('1s')
  t.match((await refresh(thiefs)).json(), { code: 'ACCOUNTS_REFRESH_REUSED' })
  await flush()
  t.match(mails.mails.map(({ kind }) => kind), ['roles-raised', 'reuse'])
})

t.test('a session that code has begun is from nowhere: it makes no device known, and none that is told of', async (t) => {
  const { app, mails, flush } = await buildWithMail(t)
  const ada = { username: 'ada', email: 'ada@example.com', password, emailVerifiedAt: new Date(Date.now() - 1000) }
  const { id } = await app.accounts.users.create(ada)
  const payload = { username: 'ada', password }
  const told = async (request: object) => {
    t.equal((await app.inject({ method: 'POST', url: '/auth/login', payload, ...request })).statusCode, 200)
    await flush()
    return mails.mails.length
  }
  await app.accounts.issueTokens(id)
  t.equal(await told({ remoteAddress: '192.0.2.7', headers: { 'user-agent': firefox } }), 0, 'the first of Ada')
  await app.accounts.issueTokens(id)
  t.equal(await told({ remoteAddress: '203.0.113.9', headers: { 'user-agent': safari } }), 1, 'one that is new')
})

t.test('however many sessions code begins, those of people are remembered', async (t) => {
  const { app, signIn, told } = await withAda(t, { sessions: { max: 1000 } })
  const { id } = (await app.accounts.users.find('ada'))!
  for (let count = 0; count < 501; count++) await app.accounts.issueTokens(id)
  await signIn('192.0.2.7', firefox)
  t.same(await told(), [])
  await signIn('203.0.113.9', safari)
  t.equal((await told()).length, 1)
})
