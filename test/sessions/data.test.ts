// On each database.
import { Type } from '@sinclair/typebox'
import t, { type Test } from 'tap'
import { Type as Type1 } from 'typebox'
import type { AccountsOptions, AccountsUser, SessionInfo } from '../../lib/index.ts'
import { signIn } from '../../lib/testing.ts'
import { bearer, build, buildOnFile, decode, password } from '../support/build.ts'
import { kind } from '../support/databases.ts'

const shape = Type.Object({ tenant: Type.String(), device: Type.Optional(Type.String({ default: 'a browser' })) })
const silent = { logger: { level: 'silent' } }

/** An app whose tokens show what their session holds: at first the tenant that the request names. */
async function withTenants (t: Test, options: AccountsOptions = {}) {
  const built = await buildOnFile(
    t,
    {
      sessions: { data: shape },
      claims: (_user, _request, { data }) => ({ data }),
      ...options,
      hooks: {
        onSession: (_user, request) => ({ tenant: String(request?.headers['x-tenant'] ?? 'none') }),
        ...options.hooks,
      },
    },
    silent
  )
  const ask = async (url: string, payload: object, tenant?: string, token?: string, method: 'POST' | 'PUT' = 'POST') =>
    built.app.inject({
      method,
      url,
      payload,
      headers: { ...bearer(token), ...(tenant === undefined ? {} : { 'x-tenant': tenant }) },
    })
  return { ...built, ask }
}

/** The same accounts in a process that comes after it and keeps no data, with tokens that show what it is given. */
async function later (t: Test, db: string) {
  const built = await build(t, { db, claims: (_user, _request, { data }) => ({ data }) })
  const put = (url: string, payload: object, token: string) =>
    built.app.inject({ method: 'PUT', url, payload, headers: bearer(token) })
  return { ...built, put }
}

const claimsIn = (answer: { access_token: string }) => decode(answer.access_token).payload
const dataIn = (answer: { access_token: string }): unknown => claimsIn(answer).data
const ada = { username: 'ada', password }

t.test('a session holds what the app gives it, and its tokens tell of that from the first to the last', async (t) => {
  const { ask, refresh } = await withTenants(t)
  const registered = (await ask('/auth/register', ada, 'acme')).json()
  t.same(dataIn(registered), { tenant: 'acme', device: 'a browser' })
  const signedIn = (await ask('/auth/login', ada, 'globex')).json()
  t.same(dataIn(signedIn), { tenant: 'globex', device: 'a browser' })

  const refreshed = (await refresh(signedIn.refresh_token)).json()
  t.same(dataIn(refreshed), dataIn(signedIn))
  const proved = (await ask('/auth/reauthenticate', { password }, undefined, refreshed.access_token)).json()
  t.same(dataIn(proved), dataIn(signedIn))
  const body = { current_password: password, new_password: 'another horse battery staple' }
  const changed = (await ask('/auth/password', body, undefined, proved.access_token, 'PUT')).json()
  t.same(dataIn(changed), dataIn(signedIn))
  t.same(dataIn((await refresh(changed.refresh_token)).json()), dataIn(signedIn))
})

t.test('code changes what a session holds, and the next token tells of it', async (t) => {
  const { app, ask, get, refresh } = await withTenants(t)
  const first = (await ask('/auth/register', ada, 'acme')).json()
  const other = (await ask('/auth/login', ada, 'acme')).json()
  const { sid, sub } = claimsIn(first) as { sid: string, sub: string }

  await app.accounts.sessions.setData(sid, { tenant: 'globex' })
  t.equal(
    (await get('/guarded', first.access_token)).json().auth.claims.data.tenant,
    'acme',
    'tokens that are there do not change'
  )
  const second = (await refresh(first.refresh_token)).json()
  t.same(dataIn(second), { tenant: 'globex', device: 'a browser' })
  t.same(
    dataIn((await refresh(other.refresh_token)).json()),
    { tenant: 'acme', device: 'a browser' },
    'nor do other sessions'
  )
  const held = (await app.accounts.sessions.list(sub)).map(({ id, data }) => [id === sid, data?.tenant])
  t.same(held.toSorted(), [[false, 'acme'], [true, 'globex']])
  t.notMatch((await get('/auth/sessions', second.access_token)).body, 'globex', 'it is for the app')

  await app.accounts.sessions.setData(sid, null)
  t.equal(dataIn((await refresh(second.refresh_token)).json()), null)
})

t.test('it joins a transaction of the app’s, and goes back with it', async (t) => {
  const { app, ask, refresh } = await withTenants(t)
  const first = (await ask('/auth/register', ada, 'acme')).json()
  const { sid } = claimsIn(first) as { sid: string }
  const em = app.accounts.orm.em.fork()
  await t.rejects(em.transactional(async (tx) => {
    await app.accounts.sessions.setData(sid, { tenant: 'globex' }, { em: tx })
    throw new Error('no')
  }), { message: 'no' })
  const second = (await refresh(first.refresh_token)).json()
  t.match(dataIn(second), { tenant: 'acme' })
  await em.transactional((tx) => app.accounts.sessions.setData(sid, { tenant: 'globex' }, { em: tx }))
  t.match(dataIn((await refresh(second.refresh_token)).json()), { tenant: 'globex' })
})

t.test('code that starts a session says what it holds, or the hook does', async (t) => {
  const { app, ask } = await withTenants(t)
  const { user } = (await ask('/auth/register', ada, 'acme')).json()
  const { issueTokens } = app.accounts
  t.match(dataIn(await issueTokens(user, { data: { tenant: 'globex' } })), { tenant: 'globex' })
  t.match(dataIn(await issueTokens(user)), { tenant: 'none' })
  t.equal(dataIn(await issueTokens(user, { data: null })), null)
})

t.test('a session without data is one like any other', async (t) => {
  for (const hooks of [{}, { onSession: () => null }, { onSession: async () => undefined }]) {
    const { app, signUp, refresh } = await build(t, {
      sessions: { data: shape },
      claims: (_user, _request, session) => ({ session }),
      hooks,
    })
    const first = await signUp()
    t.same(claimsIn(first).session, { data: null })
    t.same(claimsIn((await refresh(first.refresh_token)).json()).session, { data: null })
    t.same(claimsIn(await app.accounts.issueTokens(first.user.id)).session, { data: null })
  }
})

const wrong: [what: string, data: unknown, message: RegExp][] = [
  ['a missing member', {}, /^data must have required property 'tenant'$/],
  ['another type', { tenant: 5 }, /^data\/tenant must be string$/],
  ['a member that is not listed', { tenant: 'a', admin: true }, /^data\/admin is not a known field$/],
  ['no object', 'acme', /^data must be object$/],
  ['a list', [], /^data must be object$/],
  ['a function', () => {}, /^data must be an object that JSON can say$/],
  ['a number without an end', { tenant: 1n }, /^data must be an object that JSON can say$/],
  ['a NUL', { tenant: 'a\0b' }, /^data must not hold NUL/],
  ['half a character', { tenant: '\ud800' }, /^data must not hold NUL/],
  ['too much of it', { tenant: 'é'.repeat(2040) }, /^data must have at most 4096 bytes as JSON$/],
]

t.test('data of another shape is refused, from code and from the hook, and nothing is stored', async (t) => {
  for (const [what, data, message] of wrong) {
    const given: { data?: unknown } = {}
    const { app, ask, sql } = await withTenants(t, { hooks: { onSession: () => given.data as never } })
    const { user, access_token: token } = (await ask('/auth/register', ada)).json()
    given.data = data
    const { sid } = decode(token).payload
    const refusal = { code: 'ACCOUNTS_INPUT_INVALID', statusCode: 400, message }
    await t.rejects(app.accounts.issueTokens(user, { data: data as never }), refusal, what)
    await t.rejects(app.accounts.sessions.setData(sid, data as never), refusal, what)
    const [login, register] = [await ask('/auth/login', ada), await ask('/auth/register', { ...ada, username: 'bob' })]
    for (const answer of [login, register]) {
      t.match([answer.statusCode, answer.json()], [400, { code: refusal.code, message }], what)
    }
    t.match(
      await sql.all(
        'select (select count(*) from accounts_sessions) as sessions, (select count(*) from accounts_users) as users'
      ),
      [{ sessions: 1, users: 1 }]
    )
  }
  const { app, ask } = await withTenants(t)
  const { user } = (await ask('/auth/register', ada)).json()
  const longest = 'é'.repeat((4096 - JSON.stringify({ tenant: '', device: '' }).length) / 2)
  t.match(dataIn(await app.accounts.issueTokens(user, { data: { tenant: longest, device: '' } })), { tenant: longest })
})

t.test('a hook that refuses is the answer, and one that fails lets nobody in', async (t) => {
  const failing: { error?: Error } = {}
  const { ask, sql } = await withTenants(t, {
    hooks: {
      onSession: () => {
        if (failing.error) throw failing.error
        return { tenant: 'a' }
      },
    },
  })
  await ask('/auth/register', ada)
  failing.error = Object.assign(new Error('of no tenant'), { statusCode: 403, code: 'NO_TENANT' })
  t.match((await ask('/auth/login', ada)).json(), { statusCode: 403, code: 'NO_TENANT', message: 'of no tenant' })
  failing.error = new Error('secret detail')
  t.strictSame((await ask('/auth/login', ada)).json(), {
    statusCode: 500,
    error: 'Internal Server Error',
    message: 'Internal Server Error',
  })
  t.equal((await sql.all('select id from accounts_sessions')).length, 1)
})

t.test('what is no session that goes on has no data', async (t) => {
  const { app, ask, sql } = await withTenants(t)
  const [over, expired] = [(await ask('/auth/register', ada)).json(), (await ask('/auth/login', ada)).json()].map(
    (answer) => claimsIn(answer).sid as string
  )
  await app.accounts.sessions.revoke(over!)
  await sql.exec(`update accounts_sessions set refresh_expires_at = created_at where id = '${expired}'`)
  for (const id of [over, expired, '01a20000-0000-7000-8000-000000000000', 'x', '', "' or 1=1", 5]) {
    await t.rejects(
      app.accounts.sessions.setData(id as string, { tenant: 'a' }),
      { code: 'ACCOUNTS_NOT_FOUND' },
      String(id)
    )
  }
})

t.test('data needs a schema, and options that are misspelt are refused', async (t) => {
  const { app, signUp } = await build(t)
  const { user, access_token: token } = await signUp()
  const { sid } = decode(token).payload
  const refusal = { code: 'ACCOUNTS_OPTIONS_INVALID', message: /sessions\.data/ }
  await t.rejects(app.accounts.issueTokens(user.id, { data: { tenant: 'a' } }), refusal)
  await t.rejects(app.accounts.issueTokens(user.id, { data: null }), refusal)
  await t.rejects(app.accounts.sessions.setData(sid, { tenant: 'a' }), refusal)

  const faults: [AccountsOptions, RegExp][] = [
    [{ hooks: { onSession: () => null } }, /hooks\.onSession needs sessions\.data/],
    [{ sessions: { data: Type.String() } }, /sessions\.data must be the schema of an object/],
    [{ sessions: { data: { type: 'object' } as never } }, /sessions\.data must be a schema of TypeBox/],
    [
      {
        sessions: {
          data: Type.Object({
            a: Type.Transform(Type.String())
              .Decode((text) => text)
              .Encode((text) => text),
          }),
        },
      },
      /sessions\.data must be JSON Schema alone/,
    ],
    [{ sessions: { data: Type.Object({ a: Type.String({ unique: true }) }) } }, /sessions\.data has unique within it/],
    [{ sessions: { data: 5 as never } }, /sessions\.data must be object/],
  ]
  for (const [options, message] of faults) { await t.rejects(build(t, options), { code: 'ACCOUNTS_OPTIONS_INVALID', message }) }
  const { app: other } = await build(t, { sessions: { data: shape } })
  await t.rejects(other.accounts.sessions.setData(sid, { tenant: 'a' }, { tx: 1 } as never), {
    code: 'ACCOUNTS_OPTIONS_INVALID',
    message: /tx is not an option/,
  })
})

t.test('a schema of typebox 1 does as well', async (t) => {
  const data = Type1.Object({ tenant: Type1.String(), seats: Type1.Optional(Type1.Integer()) })
  const { app, signUp } = await build(t, {
    sessions: { data },
    claims: (_user, _request, session) => ({ data: session.data }),
  })
  const { user } = await signUp()
  t.same(dataIn(await app.accounts.issueTokens(user.id, { data: { tenant: 'a' } })), { tenant: 'a' })
  await t.rejects(app.accounts.issueTokens(user.id, { data: { tenant: 'a', seats: 1.5 } }), {
    message: 'data/seats must be integer',
  })
})

t.test('what claims makes of the data it is given changes nothing that is kept', async (t) => {
  const claims: AccountsOptions['claims'] = (_user, _request, { data }) => {
    if (data) data.tenant = 'changed'
    return {}
  }
  const { app, ask } = await withTenants(t, { claims })
  const { user } = (await ask('/auth/register', ada, 'acme')).json()
  t.match(await app.accounts.sessions.list(user.id), [{ data: { tenant: 'acme' } }])
})

t.test('what a hook changes in a user who registers is not stored', async (t) => {
  const spoil = (user: AccountsUser) => {
    user.roles.push('admin')
    user.username = 'root'
  }
  const { ask, sql } = await withTenants(t, {
    claims: (user) => { spoil(user); return {} },
    hooks: { onSession: (user) => { spoil(user); return { tenant: 'a' } } },
  })
  t.match((await ask('/auth/register', ada)).json().user, { username: 'ada', roles: [] })
  const { username, roles } = (await sql.get('select username, roles from accounts_users'))!
  t.match([username, String(roles)], ['ada', /^(\[\]|)$/])
})

t.test('an app that keeps no data any more is given none, and shows none', async (t) => {
  const { ask, db } = await withTenants(t)
  const first = (await ask('/auth/register', ada, 'acme')).json()
  const { app, put, refresh } = await later(t, db)
  const second = (await refresh(first.refresh_token)).json()
  t.equal(dataIn(second), null)
  t.match(await app.accounts.sessions.list(first.user.id), [{ data: null }])
  t.equal(
    dataIn(
      (
        await put(
          '/auth/password',
          { current_password: password, new_password: 'another horse battery staple' },
          second.access_token
        )
      ).json()
    ),
    null
  )
})

t.test('data that a hand in the database has made something else is taken for none', async (t) => {
  const texts = kind === 'sqlite' ? ['not json', '', '5', '[1]', '"x"'] : ['5', '[1]', '"x"']
  for (const text of texts) {
    const { app, ask, refresh, sql } = await withTenants(t)
    const first = (await ask('/auth/register', ada, 'acme')).json()
    await sql.run('update accounts_sessions set data = ?', text)
    const answer = await refresh(first.refresh_token)
    t.equal(answer.statusCode, 200, text)
    t.equal(dataIn(answer.json()), null, text)
    t.match(await app.accounts.sessions.list(first.user.id), [{ data: null }], text)
  }
})

t.test('a token that would be too large spends none and voids none', async (t) => {
  for (const transport of ['body', 'cookie'] as const) {
    const { app } = await build(
      t,
      {
        transport,
        refresh: { window: 0 },
        sessions: { data: Type.Object({ cart: Type.String() }) },
        claims: (_user, _request, { data }) => ({ cart: String(data?.cart).repeat(3) }),
      },
      silent
    )
    const { user } = await signIn(app, 'ada', { transport: 'body' })
    await app.accounts.users.setPassword(user.id, password)
    const { headers, tokens } = await signIn(app, 'ada')
    const [{ id }] = (await app.accounts.sessions.list(user.id)) as [SessionInfo]
    const ask = (url: string, payload?: object) =>
      app.inject({ method: 'POST', url, headers, ...(payload && { payload }) })
    const refresh = () =>
      ask('/auth/refresh', 'refresh_token' in tokens ? { refresh_token: tokens.refresh_token } : undefined)

    await app.accounts.sessions.setData(id, { cart: 'x'.repeat(3000) })
    for (const answer of [await refresh(), await ask('/auth/reauthenticate', { password })]) {
      t.match([answer.statusCode, answer.json().code], [500, 'ACCOUNTS_TOKEN_TOO_LARGE'])
    }
    t.match(app.accounts.counters, { refreshesRotated: 0, refreshesFailed: 1 })
    await app.accounts.sessions.setData(id, { cart: 'x' })
    t.equal((await refresh()).statusCode, 200)
  }
})

t.test('a refusal of the hook is no failure of the network that a registration comes from', async (t) => {
  const refusal = Object.assign(new Error('of no tenant'), { statusCode: 403 })
  const { ask } = await withTenants(t, { throttle: { network: 1 }, hooks: { onSession: () => { throw refusal } } })
  for (let i = 0; i < 3; i++) t.equal((await ask('/auth/register', ada)).statusCode, 403)
})

t.test('a hook that never settles is given up, and its place in the line for passwords with it', async (t) => {
  const never = () => new Promise<never>(() => {})
  await Promise.all([{ hooks: { onSession: never } }, { claims: never }].map(async (options) => {
    const { ask } = await withTenants(t, { password: { concurrency: 1, waiting: 0 }, ...options })
    t.match((await ask('/auth/register', ada)).json(), { code: 'ACCOUNTS_UNAVAILABLE' })
    t.match((await ask('/auth/login', ada)).json(), { code: 'ACCOUNTS_CREDENTIALS_INVALID' }, 'nobody is in the way')
  }))
})

t.test('what a hook throws is the answer only where its status is one', async (t) => {
  for (const statusCode of [403n, 404.5, '403', 399, 500, Infinity]) {
    const { ask } = await withTenants(t, {
      hooks: {
        onSession: () => {
          throw Object.assign(new Error('secret'), { statusCode })
        },
      },
    })
    t.strictSame(
      (await ask('/auth/register', ada)).json(),
      { statusCode: 500, error: 'Internal Server Error', message: 'Internal Server Error' },
      String(statusCode)
    )
  }
})
