// On each database.
import diagnostics from 'node:diagnostics_channel'
import { Type } from '@sinclair/typebox'
import t, { type Test } from 'tap'
import type { AccountsOptions } from '../../../lib/index.ts'
import { clock, failMail, flushMail } from '../../../lib/testing.ts'
import { build, password } from '../../support/build.ts'
import { buildWithMail, otherPassword } from '../../support/mail.ts'

const first = { mail: { links: { register: '/welcome' } }, email: { verification: 'first' } } as const
const ada = { username: 'ada', email: 'ada@example.com', password }

/** An app in which the address is proved first. */
async function buildFirst (t: Test, options: AccountsOptions = {}) {
  const built = await buildWithMail(t, { ...first, ...options })
  return { ...built, complete: (body: object) => built.post('/auth/register/complete', body) }
}

t.test('there is no user before the address is proved, and then there is one who is signed in', async (t) => {
  const { app, mails, post, get, complete, login } = await buildFirst(t)
  const asked = await post('/auth/register', ada)
  t.equal(asked.statusCode, 202)
  const { challenge_id: challenge } = asked.json()
  t.equal(await app.accounts.users.find('ada'), null)
  t.equal((await login('ada', password)).statusCode, 401)

  const code = mails.code(await mails.next('register'))
  const done = await complete({ challenge_id: challenge, code })
  t.equal(done.statusCode, 201)
  t.match(done.json(), { user: { username: 'ada', email: 'ada@example.com', email_verified: true } })
  t.equal((await get('/guarded', done.json().access_token)).statusCode, 200)
  t.equal((await login('ada', password)).statusCode, 200)
  t.match((await complete({ challenge_id: challenge, code })).json(), { code: 'ACCOUNTS_PROOF_INVALID' })
})

t.test('free and taken addresses are answered alike, and who has one is told by mail', async (t) => {
  const { app, mails, flush, post, complete } = await buildFirst(t)
  await app.accounts.users.create({ username: 'other', email: ada.email })
  const bodies: string[] = []
  for (const email of [ada.email, 'free@example.com']) {
    const { statusCode, body } = await post('/auth/register', { ...ada, email })
    bodies.push(`${statusCode} ${body.replace(/"[\w-]{22}"/, '"…"')}`)
  }
  t.equal(bodies[0], bodies[1])
  await flush()
  t.same(mails.mails.map(({ kind, to }) => [kind, to.address]).toSorted(),
    [['register', 'free@example.com'], ['register-taken', ada.email]])
  t.notMatch(mails.last('register-taken').text, /http|\d{4} \d{4}/)
  const token = mails.token(mails.last('register'))
  t.match((await complete({ token, password: otherPassword })).json(), { user: { email: 'free@example.com' } })
})

t.test('a click alone opens no account with a password that a stranger has chosen', async (t) => {
  const { mails, post, complete, login } = await buildFirst(t)
  const { challenge_id: challenge } = (await post('/auth/register', ada)).json()
  const token = mails.token(await mails.next('register'))
  t.match((await complete({ token })).json(), { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID' })
  t.match((await complete({ token, password: 'short' })).json(), { code: 'ACCOUNTS_PASSWORD_REJECTED' })
  t.equal((await complete({ token, password: otherPassword })).statusCode, 201)
  t.equal((await login('ada', password)).statusCode, 401)
  t.equal((await login('ada', otherPassword)).statusCode, 200)

  const again = { ...ada, username: 'eve', email: 'eve@example.com' }
  const eves = (await post('/auth/register', again)).json().challenge_id
  const link = mails.token(await mails.next('register'))
  t.match((await complete({ token: link, challenge_id: challenge })).json(), { code: 'ACCOUNTS_INPUT_INVALID' })
  t.equal((await complete({ token: link, challenge_id: eves })).statusCode, 201)
  t.equal((await login('eve', password)).statusCode, 200)
})

t.test('a name that is taken is told at once, and one that is taken meanwhile to the owner of the address', async (t) => {
  const { app, mails, post, complete } = await buildFirst(t)
  await post('/auth/register', ada)
  const token = mails.token(await mails.next('register'))
  await app.accounts.users.create({ username: 'ADA' })
  t.match((await post('/auth/register', ada)).json(), { statusCode: 409, code: 'ACCOUNTS_USER_EXISTS', field: 'username' })
  t.match((await complete({ token, password })).json(), { statusCode: 409, field: 'username' })
})

t.test('the hook is asked when it is completed, with what was kept, and its refusal leaves the link good', async (t) => {
  const told: unknown[] = []
  let isOpen = false
  const { mails, post, complete } = await buildFirst(t, {
    user: { fields: { displayName: Type.String() } },
    hooks: {
      onRegister (em, user, body) {
        told.push([em.isInTransaction(), user.email, body])
        if (!isOpen) throw Object.assign(new Error('By invitation only'), { statusCode: 403 })
      },
    },
  })
  t.match((await post('/auth/register', { ...ada, email: undefined, displayName: 'Ada' })).json(),
    { code: 'ACCOUNTS_INPUT_INVALID' }, 'it needs an address')
  await post('/auth/register', { ...ada, displayName: 'Ada' })
  const token = mails.token(await mails.next('register'))
  t.match((await complete({ token, password })).json(), { statusCode: 403, message: 'By invitation only' })
  isOpen = true
  t.match((await complete({ token, password })).json(), { user: { displayName: 'Ada' } })
  const body = { username: 'ada', email: 'ada@example.com', displayName: 'Ada' }
  t.strictSame(told, [[true, 'ada@example.com', body], [true, 'ada@example.com', body]])
})

t.test('two who are completed at once are one user', async (t) => {
  const { mails, post, complete } = await buildFirst(t, { identifiers: ['email'] })
  const { challenge_id: challenge } = (await post('/auth/register', { email: ada.email, password })).json()
  const code = mails.code(await mails.next('register'))
  const answers = await Promise.all(Array.from({ length: 8 }, () => complete({ challenge_id: challenge, code })))
  t.same(answers.map(({ statusCode }) => statusCode).toSorted(), [201, ...Array(7).fill(400)])
})

t.test('it needs mail', async (t) => {
  for (const mail of [false, true]) {
    await t.rejects(build(t, { ...first, mail }), { message: /email\.verification 'first' needs mail/ })
  }
  const { post } = await buildWithMail(t)
  t.equal((await post('/auth/register/complete', { token: 'x' })).statusCode, 404)
})

t.test('an address gets no more mails than it may, and nobody is told', async (t) => {
  const { mails, flush, post } = await buildFirst(t, { throttle: { mail: { address: 2, network: 100 } } })
  const time = clock()
  t.teardown(time.restore)
  const told: unknown[] = []
  const note = (event: unknown) => { told.push(event) }
  diagnostics.subscribe('fastify-jwt-accounts:mail-suppressed', note)
  t.teardown(() => diagnostics.unsubscribe('fastify-jwt-accounts:mail-suppressed', note))
  const ask = async () => t.equal((await post('/auth/register', ada)).statusCode, 202)
  const sent = async () => {
    time.advance('1s')
    await flush()
    return mails.mails.length
  }
  await ask()
  t.equal(await sent(), 1)
  await ask()
  t.equal(await sent(), 1, 'one a minute')
  time.advance('61s')
  t.equal(await sent(), 2)
  time.advance('61s')
  await ask()
  t.equal(await sent(), 2, 'it has had all that it may get')
  t.match(told, [{ data: { kind: 'register' }, userId: null }])
})

t.test('who has an account is told also where the mail fails at first', async (t) => {
  const { app, mails, flush, post } = await buildFirst(t)
  await app.accounts.users.create({ username: 'other', email: ada.email })
  const time = clock()
  t.teardown(time.restore)
  failMail(app, new Error('Busy'))
  await post('/auth/register', ada)
  time.advance('1s')
  await flush()
  t.same(mails.mails, [])
  time.advance('1m')
  await flush()
  t.match(mails.mails, [{ kind: 'register-taken', to: { address: ada.email } }])
})

t.test('a mail that came although its server failed is not sent again once the account is open', async (t) => {
  const links: string[] = []
  const { app, post } = await build(t, {
    ...first,
    mail: {
      ...first.mail,
      appName: 'Library',
      from: 'accounts@example.com',
      async send ({ text }) {
        links.push(text)
        throw new Error('Gone')
      },
    },
  }, { logger: { level: 'silent' } })
  const time = clock()
  t.teardown(time.restore)
  await post('/auth/register', ada)
  time.advance('1s')
  await flushMail(app)
  const [, token] = /#([\w-]+\.[\w-]+)/.exec(links[0]!)!
  t.equal((await post('/auth/register/complete', { token, password: otherPassword })).statusCode, 201)
  time.advance('1m')
  await flushMail(app)
  t.equal(links.length, 1)
})

t.test('the host is told, and who completes it says how the tokens travel', async (t) => {
  const told: unknown[] = []
  const { app, mails, post } = await buildFirst(t, {
    transport: 'both', hooks: { onRegistered: ({ username }) => { told.push(username) } },
  })
  await post('/auth/register', ada)
  t.strictSame(told, [])
  const answer = await app.inject({
    method: 'POST',
    url: '/auth/register/complete',
    headers: { 'sec-fetch-site': 'same-origin' },
    payload: { token: mails.token(await mails.next('register')), password: otherPassword, transport: 'cookie' },
  })
  t.equal(answer.statusCode, 201)
  t.ok(answer.cookies.some(({ name }) => name === '__Host-access'))
  t.strictSame(told, ['ada'])
})
