import { execFile } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { FastifyServerOptions } from 'fastify'
import t, { type Test } from 'tap'
import { outbox } from '../../lib/testing.ts'
import { bearer, build, decode, password, secret, untold } from '../support/build.ts'
import { certificateOf } from '../support/certificate.ts'
import { answers, freshDatabase, open } from '../support/databases.ts'
import { freePort } from '../support/free-port.ts'
import { run as runOf, snippetOf } from '../support/snippets.ts'
import { until } from '../support/waiting.ts'

/* Each snippet of docs/recipes.md, run as it stands. */

const page = 'docs/recipes.md'
const hasPostgresql = await answers('postgresql')
const tried = new Set<string>()

function run (t: Test, under: string, env: Record<string, string> = {}) {
  tried.add(under)
  return runOf(t, page, { under, env })
}

t.test('a route may be guarded by a role, and a role counts at the next request', async (t) => {
  const { app, get, signUp } = await run(t, 'Guard a route by role')
  const { access_token: token, user } = await signUp()
  t.equal((await get('/reports')).statusCode, 401)
  t.equal((await get('/reports', token)).statusCode, 403)
  await app.accounts.users.setRoles(user.id, ['admin'])
  t.equal((await get('/reports', token)).body, 'Hello ada')
})

t.test('fields of your own are asked for, changed by people, and read-only ones by code', async (t) => {
  const { app, get, post } = await run(t, 'Fields of your own in users')
  t.match((await post('/auth/register', { username: 'ada', password })).json(), {
    code: 'ACCOUNTS_INPUT_INVALID',
    message: /displayName/,
  })
  t.match((await post('/auth/register', { username: 'ada', password, displayName: 'Ada', plan: 'pro' })).json(), {
    code: 'ACCOUNTS_INPUT_INVALID',
    message: /plan/,
  })
  const { access_token: token, user } = (
    await post('/auth/register', { username: 'ada', password, displayName: 'Ada' })
  ).json()
  t.equal((await get('/hello', token)).body, 'Hello Ada (free)')
  await app.inject({ method: 'PATCH', url: '/auth/me', headers: bearer(token), payload: { displayName: 'Lady Ada' } })
  await app.accounts.users.update(user.id, untold({ plan: 'pro' }))
  t.equal((await get('/hello', token)).body, 'Hello Lady Ada (pro)')
})

t.test('another service verifies tokens that knows the issuer alone', async (t) => {
  const under = 'Verify tokens elsewhere, by discovery'
  tried.add(under)
  const port = await freePort()
  const issuer = `https://localhost:${port}`
  const certificate = await certificateOf(['localhost'])
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const keys = { secret: [{ private: privateKey }, secret], issuer, discovery: true }
  const { app, signUp } = await build(t, keys, { https: certificate } as FastifyServerOptions)
  await app.listen({ port, host: 'localhost' })
  const { access_token: token, user } = await signUp()

  const folder = t.testdir({ 'ca.pem': certificate.cert, 'verify.ts': snippetOf(page, under) })
  const verified = (token: string) => promisify(execFile)(process.execPath, [
    '--input-type=module', '-e', 'const [file, token] = process.argv.slice(1);' +
      'const { verify } = await import(file); console.log(JSON.stringify(await verify(token)))',
    join(folder, 'verify.ts'), token,
  ], { env: { PATH: process.env.PATH, ISSUER: issuer, NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') } })
  t.match(JSON.parse((await verified(token)).stdout), { sub: user.id, iss: issuer })

  const forged = await build(t, { ...keys, secret: { private: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey } })
  await t.rejects(verified((await forged.signUp()).access_token), /JWKSNoMatchingKey/)
})

t.test('each session has a tenant of its own, which its next tokens tell of', async (t) => {
  const { app, get, signUp, signIn, refresh } = await run(t, 'A tenant for each session')
  const [first, other] = [await signUp(), await signIn()]
  t.equal((await get('/files', first.access_token)).body, 'Files of acme')
  const put = (tenant: unknown) =>
    app.inject({ method: 'PUT', url: '/tenant', headers: bearer(first.access_token), payload: { tenant } })
  t.equal((await put('umbrella')).statusCode, 403)
  t.equal((await put('globex')).statusCode, 204)
  t.equal((await get('/files', first.access_token)).body, 'Files of acme')
  t.equal((await get('/files', (await refresh(first.refresh_token)).json().access_token)).body, 'Files of globex')
  t.equal((await get('/files', (await refresh(other.refresh_token)).json().access_token)).body, 'Files of acme')
})

t.test('who registers has a row of your own table, which goes with them', async (t) => {
  const db = await freshDatabase(t, 'sqlite')
  const { app, get, signUp } = await run(t, 'A table of your own beside users', { APP_DATABASE: db })
  const { access_token: token, user } = await signUp()
  t.match((await get('/profile', token)).json(), { user: user.id, bio: '' })
  await app.accounts.users.delete(user.id)
  const sql = open(db)
  t.same(await sql.all('select * from profile'), [])

  const { user: { id } } = await signUp('bob')
  await sql.exec(
    `create table invoice (owner text not null references accounts_users (id)); insert into invoice values ('${id}')`
  )
  await t.rejects(app.accounts.users.delete(id), { code: 'ACCOUNTS_USER_REFERENCED' })
  const [, instead] = /```js\n([^]+?)```/.exec(readFileSync(join(import.meta.dirname, '..', '..', page), 'utf8'))!
  const AsyncFunction = (async () => {}).constructor as new (
    ...parts: string[]
  ) => (given: typeof app, id: string) => Promise<void>
  await new AsyncFunction('app', 'id', instead!)(app, id)
  t.match(await sql.all('select username, email, disabled_at from accounts_users'), [
    { username: `former-${id}`, email: null, disabled_at: Number },
  ])
  await sql.close()
})

t.test('owners of a team invite into it, and whoever accepts is a member in the same transaction', async (t) => {
  const { app, post, get, signUp, module } = await runOf(t, page, {
    under: 'Teams by invitation',
    env: { APP_DATABASE: await freshDatabase(t, 'sqlite') },
    names: ['addOwner'],
  })
  tried.add('Teams by invitation')
  const [ada, bob] = [await signUp(), await signUp('bob')]
  await module.addOwner('analysts', ada.user.id)
  const invite = (token: string, email: string) => post('/teams/analysts/invitations', { email }, token)
  const mails = outbox(app)
  t.equal((await invite(bob.access_token, 'eve@example.com')).statusCode, 404)
  t.equal((await get('/teams/analysts', bob.access_token)).statusCode, 404)

  t.equal((await invite(ada.access_token, 'eve@example.com')).statusCode, 201)
  const token = mails.token(await mails.next('invite'))
  t.match((await post('/auth/invitations/show', { token })).json(), { data: { team: 'analysts' } })
  const eve = await post('/auth/invitations/accept', { token, username: 'eve', password })
  t.equal(eve.statusCode, 201)
  t.match((await get('/teams/analysts', eve.json().access_token)).json(), [
    { username: 'ada', role: 'owner' }, { username: 'eve', role: 'member' },
  ])
  for (const name of ['ann', 'tom', 'kim', 'sue']) {
    await invite(ada.access_token, `${name}@example.com`)
    const token = mails.token(await mails.next('invite'))
    const accepted = await post('/auth/invitations/accept', { token, username: name, password })
    t.match(accepted.json(), name === 'sue' ? { statusCode: 409, message: 'The team is full' } : { user: { username: name } })
  }
  t.equal(await app.accounts.users.find('sue'), null, 'nobody without the team')
})

t.test('accounts are kept in PostgreSQL', { skip: !hasPostgresql && 'no server answers' }, async (t) => {
  const db = await freshDatabase(t, 'postgresql')
  const { get, signUp } = await run(t, 'PostgreSQL', { DATABASE_URL: db })
  const { access_token: token, user } = await signUp()
  t.match((await get('/auth/me', token)).json(), user)
  const sql = open(db)
  t.match(await sql.all('select username from accounts_users'), [{ username: 'ada' }])
  await sql.close()
})

t.test('a page needs nothing but its cookies, and a page of strangers is refused', async (t) => {
  const { app, post } = await run(t, 'Browsers and cookies')
  const answer = await post('/auth/register', { username: 'ada', password })
  t.notOk('access_token' in answer.json())
  const cookie = answer.cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
  const send = (headers: object) => app.inject({ method: 'POST', url: '/notes', headers: { cookie, ...headers } })

  t.match((await send({ 'sec-fetch-site': 'same-origin' })).json(), { by: 'ada' })
  const across = await send({ 'sec-fetch-site': 'same-site', origin: 'http://localhost:5173' })
  t.match(across.json(), { by: 'ada' })
  t.match(across.headers, {
    'access-control-allow-origin': 'http://localhost:5173',
    'access-control-allow-credentials': 'true',
  })
  t.match((await send({ 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' })).json(), {
    code: 'ACCOUNTS_CSRF_FAILED',
  })
})

t.test('another key logs nobody out, and signs from then on', async (t) => {
  const under = 'Change the key'
  const ACCOUNTS_DATABASE_URL = await freshDatabase(t, 'sqlite')
  const [old, next] = ['first', 'second'].map((word) =>
    Buffer.from(`${word} secret of thirty-two bytes`.repeat(2)).toString('base64')
  )
  const before = await run(t, under, { ACCOUNTS_DATABASE_URL, JWT_SECRET_KEY: old! })
  const tokens = await before.signUp()
  await before.app.close()

  const after = await run(t, under, { ACCOUNTS_DATABASE_URL, JWT_SECRET_KEY: next!, PREVIOUS_SECRET_KEY: old! })
  t.equal((await after.get('/auth/me', tokens.access_token)).statusCode, 200)
  const refreshed = (await after.refresh(tokens.refresh_token)).json()
  t.not(decode(refreshed.access_token).header.kid, decode(tokens.access_token).header.kid)
  await after.app.close()

  const last = await run(t, under, { ACCOUNTS_DATABASE_URL, JWT_SECRET_KEY: next! })
  t.equal((await last.get('/auth/me', refreshed.access_token)).statusCode, 200)
  t.equal((await last.get('/auth/me', tokens.access_token)).statusCode, 401)
})

t.test('of two kinds of users neither comes in where the other does', async (t) => {
  const { app, get, post, signUp } = await run(t, 'Two kinds of users', {
    ACCOUNTS_DATABASE_URL: await freshDatabase(t, 'sqlite'),
  })
  const { access_token: token } = await signUp()
  const { access_token: admin } = (await post('/admin/auth/register', { username: 'root', password })).json()
  t.match((await get('/admin', admin)).json(), { username: 'root' })
  t.match((await get('/admin', token)).json(), { code: 'ACCOUNTS_TOKEN_INVALID' })
  t.equal((await get('/auth/me', admin)).statusCode, 401)
  t.ok(app.hasDecorator('admins'))
})

/** An app of a recipe, and another that ends sessions on its database. */
async function twoApps (t: Test, under: string, env: Record<string, string> = {}) {
  const ACCOUNTS_DATABASE_URL = await freshDatabase(t, 'sqlite')
  const there = await run(t, under, { ACCOUNTS_DATABASE_URL, ...env })
  const here = await build(t, { db: ACCOUNTS_DATABASE_URL })
  const tokens = await here.signUp()
  const url = await there.app.listen({ port: 0, host: '127.0.0.1' })
  const ask = (path: string) => fetch(url + path, { headers: bearer(tokens.access_token) })
  return { url, ask, tokens, logout: () => here.post('/auth/logout', { refresh_token: tokens.refresh_token }) }
}

t.test('a WebSocket closes when its session ends in another process', async (t) => {
  const { url, tokens, logout, ask } = await twoApps(t, 'Close a WebSocket with its session')
  const open = () => new WebSocket(`${url.replace('http', 'ws')}/chat`, ['chat', `access_token.${tokens.access_token}`])
  const socket = open()
  const closed = once(socket, 'close')
  await once(socket, 'open')
  t.equal(socket.protocol, 'chat')
  const answered = once(socket, 'message')
  socket.send('good morning')
  t.match((await answered)[0].data, 'ada: good morning')

  await logout()
  t.match((await closed)[0], { code: 4401, reason: 'ACCOUNTS_TOKEN_REVOKED' })
  const refused = open()
  await once(refused, 'error')
  t.equal(refused.readyState, WebSocket.CLOSED)
  t.equal((await ask('/chat')).status, 401)
})

t.test('a stream of events ends when its session ends in another process, and says why', async (t) => {
  const { ask, logout } = await twoApps(t, 'Server-sent events')
  const answer = await ask('/events')
  t.equal(answer.headers.get('content-type'), 'text/event-stream')
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
  t.match((await reader.read()).value, /^data: .+\n\n$/)
  await logout()
  let last: string | undefined
  for (let part = await reader.read(); !part.done; part = await reader.read()) last = part.value
  t.equal(last, 'event: over\ndata: ACCOUNTS_TOKEN_REVOKED\n\n')
})

t.test('whoever is signed out in another process does not get the rest of a download', async (t) => {
  const EXPORT_FILE = join(t.testdirName, 'export.csv')
  const { ask, logout } = await twoApps(t, 'A long download', { EXPORT_FILE })
  writeFileSync(EXPORT_FILE, Buffer.alloc(64 * 2 ** 20, 'a,b\n'))
  const whole = await (await ask('/export')).bytes()
  t.equal(whole.length, 64 * 2 ** 20)

  const reader = (await ask('/export')).body!.getReader()
  await reader.read()
  await logout()
  await until(async () => (await ask('/auth/me')).status === 401)
  await t.rejects(async () => { while (!(await reader.read()).done); }, { message: 'terminated' })
  t.equal((await ask('/export')).status, 401)
})

t.test('every recipe is tried', async (t) => {
  const headings = [...readFileSync(join(import.meta.dirname, '..', '..', page), 'utf8').matchAll(/^## (.+)$/gm)].map(
    ([, heading]) => heading!
  )
  t.strictSame(headings.filter((heading) => !tried.has(heading)), hasPostgresql ? [] : ['PostgreSQL'])
})
