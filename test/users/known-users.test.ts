// On each database.
import t from 'tap'
import { build, buildOnFile, decode, mint } from '../support/build.ts'
import { letPass } from '../support/waiting.ts'

t.test('a guard reads a user once, however many ask at once, and not again', async (t) => {
  const { app, signUp, get } = await build(t)
  const { access_token: token } = await signUp()
  const answers = await Promise.all(Array.from({ length: 50 }, () => get('/guarded', token)))
  t.ok(answers.every((answer) => answer.json().user.username === 'ada'))
  await get('/guarded', token)
  t.match(app.accounts.counters, { usersRead: 1, tokensVerified: 1, tokensRemembered: 50 })
})

t.test('nobody is remembered too: a user who is not there is asked for once', async (t) => {
  const { app, signUp, get } = await build(t)
  const { header, payload } = decode((await signUp()).access_token)
  const token = mint(header, { ...payload, sub: payload.sid })
  for (let times = 0; times < 3; times++) t.equal((await get('/guarded', token)).statusCode, 401)
  t.match(app.accounts.counters, { usersRead: 1, usersRemembered: 2 })
})

t.test(
  'what is written past the plugin is seen after the life of an access token, and by a strict guard at once',
  async (t) => {
    const { signUp, get, sql } = await buildOnFile(t)
    const { access_token: token } = await signUp()
    const name = async (path: string) => (await get(path, token)).json().user.username
    t.equal(await name('/guarded'), 'ada')
    await sql.exec("update accounts_users set username = 'Ada L.'")
    t.same([await name('/guarded'), await name('/strict')], ['ada', 'Ada L.'])

    letPass(t, 900_000)
    t.equal(await name('/guarded'), 'Ada L.')
  }
)

t.test('a user whose read fails is read again by the next request', async (t) => {
  const { signUp, get, sql } = await buildOnFile(t, {}, { logger: { level: 'silent' } })
  const { access_token: token } = await signUp()
  await sql.exec('alter table accounts_users rename to gone')
  t.equal((await get('/guarded', token)).statusCode, 503)
  await sql.exec('alter table gone rename to accounts_users')
  t.equal((await get('/guarded', token)).statusCode, 200)
})

t.test('no handler can change what other requests see of a user or a token', async (t) => {
  const { app, signUp, get } = await build(
    t,
    { claims: () => ({ tenant: { name: 'acme' } }) },
    { logger: { level: 'silent' } }
  )
  const changes: Record<string, (request: any) => void> = {
    roles: ({ user }) => user.roles.push('admin'),
    claims: ({ auth }) => { auth.claims.tenant.name = 'other' },
    header: ({ auth }) => { auth.header.kid = 'other' },
    user: ({ user }) => { user.username = 'root' },
  }
  for (const [name, change] of Object.entries(changes)) { app.get(`/${name}`, { preHandler: app.authenticate }, async (request) => change(request)) }
  const { access_token: token } = await signUp()
  const before = (await get('/guarded', token)).json()
  for (const name of Object.keys(changes)) await get(`/${name}`, token)
  t.same((await get('/guarded', token)).json(), before)
})
