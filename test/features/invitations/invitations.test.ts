// On each database.
import diagnostics from 'node:diagnostics_channel'
import { Type } from '@sinclair/typebox'
import t, { type Test } from 'tap'
import accounts, { type AccountsOptions } from '../../../lib/index.ts'
import { clock, failMail, outbox, signIn } from '../../../lib/testing.ts'
import { bearer, build, cheap, client, emptyDatabase, password, secret, untold } from '../../support/build.ts'
import { Fastify } from '../../support/fastify.ts'
import { buildWithMail } from '../../support/mail.ts'

const eve = 'eve@example.com'
const mail = { links: { invite: '/join' } }

/** An app with invitations, and Ada, who may invite. */
async function withAdmin (t: Test, options: AccountsOptions = {}, fields: object = {}) {
  const built = await buildWithMail(t, { mail, routes: { invitations: true }, ...options })
  const { app, post, get } = built
  const registered = await post('/auth/register', { username: 'ada', password, ...fields })
  const { access_token: token, user } = registered.json()
  await app.accounts.users.setRoles(user.id, ['admin'])
  return {
    ...built,
    ada: user,
    token,
    invite: (body: object) => post('/auth/invitations', body, token),
    accept: (body: object, token?: string) => post('/auth/invitations/accept', body, token),
    list: async () => (await get('/auth/invitations', token)).json(),
  }
}

t.test('an admin invites somebody, who opens a verified account with the roles', async (t) => {
  const told: unknown[] = []
  const { app, ada, mails, post, get, invite, accept, list } = await withAdmin(t, {
    hooks: { onInvitationAccepted: (em, user, given) => { told.push([em.isInTransaction(), user.email, given]) } },
  })
  const data = { team: 7, public: { team: 'Analysts' } }
  const invited = await invite({ email: 'Eve@EXAMPLE.com', roles: ['editor'], data })
  t.equal(invited.statusCode, 201)
  t.match(invited.json(), { email: 'Eve@example.com', roles: ['editor'], data, invited_by: ada.id })

  const mail = await mails.next('invite')
  t.equal(mail.to.address, 'Eve@example.com')
  const token = mails.token(mail)
  const shown = await post('/auth/invitations/show', { token })
  t.match(shown.json(), { email: 'Eve@example.com', data: { team: 'Analysts' } })
  t.equal(shown.json().data.team, 'Analysts')

  const accepted = await accept({ token, username: 'eve', password })
  t.equal(accepted.statusCode, 201)
  t.match(accepted.json().user, { username: 'eve', email: 'Eve@example.com', roles: ['editor'], email_verified: true })
  t.equal((await get('/guarded', accepted.json().access_token)).statusCode, 200)
  t.strictSame(told, [[true, 'Eve@example.com', { data, inviterId: ada.id }]])
  t.match((await accept({ token, username: 'eve2', password })).json(), { code: 'ACCOUNTS_PROOF_INVALID' })
  t.same((await list()).invitations, [])
  t.ok(await app.accounts.users.find('eve'))
})

t.test('one invitation is good for an address at a time, also when two invite it at once', async (t) => {
  const { mails, flush, invite, list } = await withAdmin(t)
  const answers = await Promise.all([invite({ email: eve }), invite({ email: eve }), invite({ email: eve })])
  t.same(answers.map(({ statusCode }) => statusCode).toSorted(), [200, 200, 201])
  t.equal(new Set(answers.map((answer) => answer.json().id)).size, 1)
  t.equal((await list()).invitations.length, 1)
  await flush()
  t.equal(mails.mails.length, 1)
})

t.test('who is signed in accepts for their own address, and keeps the account', async (t) => {
  const { app, mails, get, invite, accept, signUpWithMail } = await withAdmin(t)
  const [own, other] = [await signUpWithMail('eve'), await signUpWithMail('bob')]
  await invite({ email: eve, roles: ['editor'] })
  const token = mails.token(await mails.next('invite'))
  t.match((await accept({ token, username: 'eve2', password })).json(), { code: 'ACCOUNTS_USER_EXISTS' })
  t.match((await accept({ token, password }, own.access_token)).json(), { code: 'ACCOUNTS_INPUT_INVALID' })
  t.match((await accept({ token }, other.access_token)).json(), { statusCode: 403, code: 'ACCOUNTS_FORBIDDEN' })
  t.equal((await accept({ token }, own.access_token)).statusCode, 204)
  t.match((await get('/guarded', own.access_token)).json().user, { roles: ['editor'], email_verified: true })
  t.equal((await accept({ token }, own.access_token)).statusCode, 400)
  t.ok(app)
})

t.test('an invitation is void once it is withdrawn, over, or its inviter may not invite', async (t) => {
  const { app, ada, mails, invite, accept, token: admin } = await withAdmin(t)
  const { users } = app.accounts
  await users.create({ username: 'root', roles: ['admin'] })
  const time = clock()
  t.teardown(time.restore)
  const ends = {
    withdrawn: (id: string) => app.inject({
      method: 'DELETE', url: `/auth/invitations/${id}`, headers: bearer(admin),
    }),
    'of nobody who may invite': () => users.setRoles(ada.id, []),
    over: () => users.setRoles(ada.id, ['admin']).then(() => time.advance('8d')),
  }
  const invited: [token: string, id: string][] = []
  for (const what of Object.keys(ends)) {
    const { id } = (await invite({ email: `${what.replaceAll(' ', '')}@example.com` })).json()
    invited.push([mails.token(await mails.next('invite')), id])
  }
  for (const [index, [what, end]] of Object.entries(ends).entries()) {
    const [token, id] = invited[index]!
    await end(id)
    t.match((await accept({ token, username: `eve${index}`, password })).json(), { code: 'ACCOUNTS_PROOF_INVALID' }, what)
  }
})

t.test('an invitation of somebody whose account is gone is void', async (t) => {
  const { app, mails, accept } = await withAdmin(t)
  const { headers, user: bob } = await signIn(app, { username: 'bob', roles: ['admin'] })
  await app.inject({ method: 'POST', url: '/auth/invitations', headers, payload: { email: eve } })
  const token = mails.token(await mails.next('invite'))
  await app.accounts.users.delete(bob.id)
  t.match((await accept({ token, username: 'eve', password })).json(), { code: 'ACCOUNTS_PROOF_INVALID' })
})

t.test('its mail is sent once more, and a page of invitations follows another', async (t) => {
  const { app, mails, flush, get, post, invite, token } = await withAdmin(t)
  const ids: string[] = []
  for (const name of ['a', 'b', 'c']) ids.unshift((await invite({ email: `${name}@example.com` })).json().id)
  const page = (await get('/auth/invitations?limit=2', token)).json()
  t.same(page.invitations.map(({ id }: { id: string }) => id), ids.slice(0, 2))
  const rest = (await get(`/auth/invitations?limit=2&after=${page.next}`, token)).json()
  t.match(rest, { invitations: [{ id: ids[2] }], next: null })
  await flush()
  mails.clear()
  t.equal((await post(`/auth/invitations/${ids[0]}/send`, {}, token)).statusCode, 202)
  await flush()
  t.match(mails.mails, [{ kind: 'invite', to: { address: 'c@example.com' } }])
  for (const id of ['x', '01980c1e-6f3a-7c52-9d41-5b0e8f2a7c13']) {
    t.equal((await post(`/auth/invitations/${id}/send`, {}, token)).statusCode, 404)
    const removed = await app.inject({ method: 'DELETE', url: `/auth/invitations/${id}`, headers: bearer(token) })
    t.equal(removed.statusCode, 404)
  }
})

t.test('nobody else invites, lists, withdraws or sends', async (t) => {
  const { app, signUp, ...others } = await withAdmin(t)
  const { access_token: token } = await signUp('bob')
  const { id } = (await others.invite({ email: eve })).json()
  const calls = [['POST', ''], ['GET', ''], ['DELETE', `/${id}`], ['POST', `/${id}/send`]] as const
  for (const [method, path] of calls) {
    const call = { method, url: `/auth/invitations${path}`, ...method === 'POST' && { payload: { email: eve } } }
    t.equal((await app.inject({ ...call, headers: bearer(token) })).statusCode, 403)
    t.equal((await app.inject(call)).statusCode, 401)
  }
})

t.test('fields of the app are asked for, and a hook that refuses leaves the invitation good', async (t) => {
  let isFull = true
  const { mails, invite, accept } = await withAdmin(t, {
    user: { fields: { displayName: Type.String({ maxLength: 9 }), theme: Type.String({ default: 'dark' }) } },
    hooks: {
      onInvitationAccepted: () => { if (isFull) throw Object.assign(new Error('The team is full'), { statusCode: 409 }) },
    },
  } satisfies AccountsOptions, { displayName: 'Ada' })
  await invite({ email: eve })
  const token = mails.token(await mails.next('invite'))
  for (const body of [{ token }, { token, password }, { token, password, displayName: 'much too long' }]) {
    t.match((await accept(body)).json(), { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID' })
  }
  const given = { token, password, displayName: 'Eve' }
  t.match((await accept({ ...given, password: 'short' })).json(), { code: 'ACCOUNTS_PASSWORD_REJECTED' })
  t.match((await accept(given)).json(), { statusCode: 409, message: 'The team is full' })
  isFull = false
  t.match((await accept(given)).json(), { user: { displayName: 'Eve', theme: 'dark', email: eve } })
})

t.test('code invites too, in a transaction of its own or of the app', async (t) => {
  const { app, mails, flush, accept } = await withAdmin(t)
  const { invitations, orm } = app.accounts
  const within = (isGood: boolean) => orm.em.fork().transactional(async (em) => {
    const { id } = await invitations.create({ email: eve, data: { team: 1 } }, { em })
    await invitations.send(id, { em })
    t.equal((await invitations.list({ em })).invitations.length, 1)
    if (!isGood) throw new Error('Not so')
  })
  await t.rejects(within(false), { message: 'Not so' })
  await flush()
  t.same([mails.mails, (await invitations.list()).invitations], [[], []])
  await within(true)
  const { token } = { token: mails.token(await mails.next('invite')) }
  const { invitations: [made] } = await invitations.list({ limit: 1 })
  t.match(made, { email: eve, inviterId: null, data: { team: 1 }, roles: [] })
  await invitations.revoke(made!.id)
  await t.rejects(invitations.revoke(made!.id), { code: 'ACCOUNTS_NOT_FOUND' })
  await t.rejects(invitations.create({ email: 'nobody' }), { code: 'ACCOUNTS_INPUT_INVALID' })
  await t.rejects(invitations.create(untold({ email: eve, role: 1 })), { code: 'ACCOUNTS_INPUT_INVALID' })
  t.equal((await accept({ token, password })).statusCode, 400)
})

t.test('it is off unless it is asked for, and needs mail', async (t) => {
  const { app, post } = await buildWithMail(t, { mail })
  t.equal((await post('/auth/invitations/show', { token: 'x' })).statusCode, 404)
  t.ok(await app.accounts.invitations.create({ email: eve }), 'but for code')
  for (const mail of [false, true]) {
    await t.rejects(build(t, { mail, routes: { invitations: true } }), { message: /routes\.invitations needs mail/ })
  }
  const without = await build(t, { mail: true })
  for (const call of ['create', 'list', 'revoke', 'send'] as const) {
    const { invitations } = without.app.accounts
    const given = call === 'create' ? { email: eve } : call === 'list' ? {} : 'x'
    await t.rejects((invitations[call] as (given: unknown) => Promise<unknown>)(given) as Promise<void>, { code: 'ACCOUNTS_OPTIONS_INVALID', message: /needs mail\.links\.invite/ })
  }
})

t.test('code invites somebody, whom the host is told of when they accept by cookies', async (t) => {
  const told: unknown[] = []
  const { app, mails, post } = await buildWithMail(t, {
    mail,
    routes: { invitations: true },
    transport: 'both',
    hooks: { onRegistered: ({ email }) => { told.push(email) } },
  })
  await app.accounts.invitations.create({ email: eve })
  const token = mails.token(await mails.next('invite'))
  t.match((await post('/auth/invitations/show', { token })).json(), { email: eve, data: null })
  const answer = await app.inject({
    method: 'POST',
    url: '/auth/invitations/accept',
    headers: { 'sec-fetch-site': 'same-origin' },
    payload: { token, password, transport: 'cookie' },
  })
  t.equal(answer.statusCode, 201)
  t.ok(answer.cookies.some(({ name }) => name === '__Host-access'))
  t.strictSame(told, [eve])
})

t.test('the hook is asked of who is signed in too, and its refusal leaves the invitation good', async (t) => {
  let isFull = true
  const told: unknown[] = []
  const { get, mails, invite, accept, signUpWithMail } = await withAdmin(t, {
    hooks: {
      onInvitationAccepted (em, { username, roles }) {
        told.push([em.isInTransaction(), username, roles])
        if (isFull) throw Object.assign(new Error('The team is full'), { statusCode: 409 })
      },
    },
  })
  const { access_token: own } = await signUpWithMail('eve')
  await invite({ email: eve, roles: ['editor'] })
  const token = mails.token(await mails.next('invite'))
  t.match((await accept({ token }, own)).json(), { statusCode: 409, message: 'The team is full' })
  t.match((await get('/guarded', own)).json().user, { roles: [] })
  isFull = false
  t.equal((await accept({ token }, own)).statusCode, 204)
  t.strictSame(told, [[true, 'eve', ['editor']], [true, 'eve', ['editor']]])
})

t.test('who is deleted once their token was checked accepts nothing, and the invitation stays good', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.addHook('preHandler', async ({ user }) => { if (user) await app.accounts.users.delete(user.id) })
  const options = { mail, routes: { invitations: true }, email: { verification: 'none' } } as const
  await app.register(accounts, { db: await emptyDatabase(t), secret, password: cheap, ...options })
  const { post } = client(app)
  const { users, invitations, issueTokens } = app.accounts
  const { id } = await users.create({ username: 'eve', email: eve })
  const { access_token: own } = await issueTokens(id)
  await invitations.create({ email: eve })
  const token = outbox(app).token(await outbox(app).next('invite'))
  t.match((await post('/auth/invitations/accept', { token }, own)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.equal((await post('/auth/invitations/accept', { token, username: 'eve', password })).statusCode, 201)
})

t.test('its mails are no more than an address may get, and none once it is withdrawn', async (t) => {
  const { app, mails, flush, post, invite, token } = await withAdmin(t, {
    throttle: { mail: { address: 2, network: 100 } },
  })
  const time = clock()
  t.teardown(time.restore)
  const told: unknown[] = []
  const note = (event: unknown) => { told.push(event) }
  diagnostics.subscribe('fastify-jwt-accounts:mail-suppressed', note)
  t.teardown(() => diagnostics.unsubscribe('fastify-jwt-accounts:mail-suppressed', note))
  const { id } = (await invite({ email: eve })).json()
  const again = (id: string) => post(`/auth/invitations/${id}/send`, {}, token)
  const sent = async (address: string) => {
    await flush()
    return mails.mails.filter(({ to }) => to.address === address).length
  }
  t.equal(await sent(eve), 1)
  await again(id)
  t.equal(await sent(eve), 1, 'one a minute')
  time.advance('61s')
  t.equal(await sent(eve), 2)
  time.advance('61s')
  await again(id)
  t.equal(await sent(eve), 2, 'it has had all that it may get')
  t.match(told, [{ data: { kind: 'invite' }, userId: null }])

  const bob = 'bob@example.com'
  const { id: bobs } = (await invite({ email: bob })).json()
  t.equal(await sent(bob), 1)
  await again(bobs)
  t.equal(await sent(bob), 1)
  await app.accounts.invitations.revoke(bobs)
  time.advance('61s')
  t.equal(await sent(bob), 1, 'its link is void')
})

t.test('no mail leaves of an invitation whose inviter may not invite any more', async (t) => {
  const { app, ada, mails, flush, invite } = await withAdmin(t, { mail: { ...mail, worker: false } })
  await app.accounts.users.create({ username: 'root', roles: ['admin'] })
  await invite({ email: eve })
  await app.accounts.users.setRoles(ada.id, [])
  await flush()
  t.same(mails.mails.filter(({ kind }) => kind === 'invite'), [])
})

t.test('its mail says what the admin has written, and nothing of that is markup or a line of its head', async (t) => {
  const { mails, flush, post, invite, list } = await withAdmin(t)
  const message = ' Hello <b>Eve</b>,\r\n\r\nwe start on Monday & need you.\rAda 👩‍💻 '
  const kept = 'Hello <b>Eve</b>,\n\nwe start on Monday & need you.\nAda 👩‍💻'
  t.match((await invite({ email: eve, message })).json(), { message: kept })
  const mail = await mails.next('invite')
  t.match(mail.text, 'Whoever invites you writes:\n\n> Hello <b>Eve</b>,\n> \n> we start on Monday & need you.\n> Ada 👩‍💻\n\n')
  t.match(mail.html, /<blockquote[^>]*>Hello &lt;b&gt;Eve&lt;\/b&gt;,<br><br>we start on Monday &amp; need you\.<br>Ada/)
  t.equal(mail.subject, 'An invitation to Your app')
  t.match((await list()).invitations, [{ message: kept }])
  t.notOk('message' in (await post('/auth/invitations/show', { token: mails.token(mail) })).json())

  await invite({ email: 'bob@example.com' })
  await flush()
  t.notMatch(mails.last('invite').text + mails.last('invite').html, /writes|<blockquote/)
})

t.test('a message is plain text of 500 characters at most, and no database is given what it cannot keep', async (t) => {
  const { invite } = await withAdmin(t)
  const wrong = ['x'.repeat(501), '', ' \n', 'a\0b', 'a\u202eb', 'a\x1b[1m', 'a\u2028b', '\ud800', 1, ['x'], null]
  for (const message of wrong) {
    t.match((await invite({ email: eve, message })).json(), { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID' })
  }
  for (const data of [{ team: 'a\0b' }, { 'a\0': 1 }, { team: '\ud800' }]) {
    t.match((await invite({ email: eve, data })).json(), { statusCode: 400, code: 'ACCOUNTS_INPUT_INVALID' })
  }
  t.equal((await invite({ email: eve, message: 'x'.repeat(500) })).statusCode, 201)
})

t.test('whoever gets an invitation by mistake says so by its other link, and it is void', async (t) => {
  const told: unknown[] = []
  const note = (event: unknown) => { told.push(event) }
  diagnostics.subscribe('fastify-jwt-accounts:invitation-disowned', note)
  t.teardown(() => diagnostics.unsubscribe('fastify-jwt-accounts:invitation-disowned', note))
  const { app, ada, mails, post, invite, accept, list } = await withAdmin(t)
  await invite({ email: eve })
  const { text, html } = await mails.next('invite')
  const link = /This was not for me:\n\S+\/auth\/pages\/disown#(\S+)/.exec(text)!
  t.match(html, /<a href="[^"]+\/auth\/pages\/disown#[^"]+"[^>]*>This was not for me<\/a>/)
  const disown = (token: string) => post('/auth/email/disown', { token })
  t.match((await disown(`${link[1]!.slice(0, -4)}AAAA`)).json(), { code: 'ACCOUNTS_PROOF_INVALID' })
  t.equal((await disown(link[1]!)).statusCode, 204)
  t.match((await disown(link[1]!)).json(), { code: 'ACCOUNTS_PROOF_INVALID' })
  t.match((await accept({ token: link[1], username: 'eve', password })).json(), { code: 'ACCOUNTS_PROOF_INVALID' })
  t.same((await list()).invitations, [])
  t.match(told, [{ userId: ada.id }])

  await app.accounts.invitations.create({ email: eve })
  t.equal((await disown(mails.token(await mails.next('invite')))).statusCode, 204)
  t.match(told, [{ userId: ada.id }, { userId: null }])
})

t.test('of many who disown and accept an invitation at once one alone succeeds', async (t) => {
  const { mails, post, invite, accept } = await withAdmin(t)
  await invite({ email: eve })
  const token = mails.token(await mails.next('invite'))
  const answers = await Promise.all([
    ...Array.from({ length: 4 }, () => post('/auth/email/disown', { token })),
    ...Array.from({ length: 4 }, (_, index) => accept({ token, username: `eve${index}`, password })),
  ])
  t.equal(answers.filter(({ statusCode }) => statusCode < 300).length, 1)
})

t.test('where nobody can disown anything the mail has no such link', async (t) => {
  const { mails, invite } = await withAdmin(t, { routes: { invitations: true, verifyEmail: false } })
  await invite({ email: eve })
  t.notMatch((await mails.next('invite')).text, /disown|not for me/)
})

t.test('its mail that was given up is sent when code says so, unless the invitation is over', async (t) => {
  const { app, mails, flush, invite } = await withAdmin(t)
  const { mail: mailing, invitations } = app.accounts
  failMail(app, Object.assign(new Error('No'), { permanent: true }), 2)
  for (const email of [eve, 'bob@example.com']) await invite({ email })
  await flush()
  const failed = (await mailing.list({ state: 'failed' })).mails
  t.equal(failed.length, 2)
  const [bobs, eves] = failed as [typeof failed[0], typeof failed[0]]
  await mailing.retry(eves.id)
  await flush()
  t.equal(mails.last('invite').to.address, eves.address)
  for (const { id, email } of (await invitations.list()).invitations) {
    if (email === bobs.address) await invitations.revoke(id)
  }
  await t.rejects(mailing.retry(bobs.id), { code: 'ACCOUNTS_NOT_FOUND' })
})
