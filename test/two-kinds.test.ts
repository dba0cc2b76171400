import swagger from '@fastify/swagger'
import { Validator } from '@seriousme/openapi-schema-validator'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import type { AccountsOptions, AccountsServices, Guard } from '../lib/index.ts'
import { bearer, client, password } from './support/build.ts'
import { freshDatabase, open as openDatabase } from './support/databases.ts'
import { addAccounts, open } from './whole/neighbours/tour.ts'

type Kinds = FastifyInstance & { admins: AccountsServices }

const doorkeeper = { id: 'gateway', secret: 'a-secret-of-thirty-two-characters' }
const basic = `Basic ${Buffer.from(`${doorkeeper.id}:${doorkeeper.secret}`).toString('base64')}`

/** Every place where a token may be, and every door: guards that remember, read and do neither. */
const everywhere: AccountsOptions = {
  transport: 'both',
  locations: ['header', 'cookie', 'body', 'query'],
  routes: { revoke: true },
  introspection: { clients: [doorkeeper] },
}

const prefixes = { accounts: '/auth', admins: '/admin' } as const
type Kind = keyof typeof prefixes
const kinds = Object.keys(prefixes) as Kind[]

/** Users and admins in one app, with the same secret, in the same file. */
async function buildTwo (t: Test, options: AccountsOptions = {}, order: readonly Kind[] = kinds) {
  const app = open(t) as Kinds
  const db = await freshDatabase(t)
  for (const name of order) { await addAccounts(app, { db, ...options, ...(name === 'admins' && { name, prefix: prefixes.admins }) }) }
  const sql = openDatabase(db)
  t.teardown(() => sql.close())
  const enter = async (name: Kind, username: string, transport?: 'cookie') => {
    const headers = { 'sec-fetch-site': 'same-origin' }
    const url = `${prefixes[name]}/register`
    const answer = await app.inject({
      method: 'POST',
      url,
      headers,
      payload: { username, password, ...(transport && { transport }) },
    })
    const cookies = Object.fromEntries(answer.cookies.map(({ name, value }) => [name, value]))
    return { ...answer.json(), cookies } as {
      access_token: string
      refresh_token: string
      user: { id: string }
      cookies: Record<string, string>
    }
  }
  return { app, sql, enter, ...client(app) }
}

const who = async ({ user, auth }: { user: { username: string | null }; auth: { instance: string } }) =>
  `${user.username} of ${auth.instance}`

t.test('two kinds of users have tables, cookies, services and guards of their own', async (t) => {
  const { app, sql, enter, get } = await buildTwo(t, { transport: 'both' })
  app.get('/users', { preHandler: app.authenticate }, who)
  app.get('/admins', { preHandler: app.admins.authenticate }, who)
  const user = await enter('accounts', 'ada')
  const admin = await enter('admins', 'ada')

  t.not(user.user.id, admin.user.id, 'one name, two people')
  for (const [name, { user: { id } }] of [['accounts', user], ['admins', admin]] as const) {
    t.strictSame(await sql.all(`select id, username from ${name}_users`), [{ id, username: 'ada' }], name)
    t.equal((await sql.get(`select count(*) as count from ${name}_sessions`))!.count, 1, name)
  }
  t.equal(app.authenticate, app.accounts.authenticate, 'the default alone stands on the app itself')
  t.equal((await get('/users', user.access_token)).body, 'ada of accounts')
  t.equal((await get('/admins', admin.access_token)).body, 'ada of admins')
  t.match((await get('/admins')).headers['www-authenticate'], 'Bearer realm="admins"')
  t.strictSame(Object.keys((await enter('accounts', 'eve', 'cookie')).cookies), [
    '__Host-access',
    '__Secure-refresh',
    '__Host-csrf',
  ])
  t.strictSame(Object.keys((await enter('admins', 'eve', 'cookie')).cookies), [
    '__Host-admins-access',
    '__Secure-admins-refresh',
    '__Host-admins-csrf',
  ])
  t.equal((await app.admins.verify(admin.access_token)).user.username, 'ada')
})

t.test('no token of one kind of users opens a door of the other, from wherever it comes', async (t) => {
  const { app, enter } = await buildTwo(t, everywhere)
  const guards: Record<string, Record<Kind, Guard>> = {}
  for (const type of ['access', 'refresh', 'any'] as const) {
    for (const consistency of ['cached', 'strict', 'stateless'] as const) {
      if (consistency === 'stateless' && type !== 'access') continue
      const [accounts, admins] = kinds.map((kind) =>
        app[kind].guard({ type, consistency, locations: ['header', 'cookie', 'body', 'query'] })
      )
      guards[`${type}-${consistency}`] = { accounts: accounts!, admins: admins! }
    }
  }
  for (const kind of kinds) {
    for (const [name, guard] of Object.entries(guards)) app.post(`/${kind}/${name}`, { preHandler: guard[kind] }, who)
    app.post(
      `/${kind}/optional`,
      { preHandler: app[kind].guard({ optional: 'or-expired', locations: ['header'] }) },
      who
    )
    await app.register(async (scope) => {
      app[kind].protect(scope)
      scope.post(`/${kind}/protected`, who)
    })
  }

  const doors = [...Object.keys(guards), 'protected']
  for (const [own, other] of [['accounts', 'admins'], ['admins', 'accounts']] as const) {
    const { access_token: access, refresh_token: refresh } = await enter(own, 'ada')
    const { cookies } = await enter(own, 'eve', 'cookie')
    const stem = other === 'admins' ? 'admins-' : ''
    const [accessCookie, refreshCookie] = Object.entries(cookies)
      .filter(([name]) => !name.includes('csrf'))
      .map(([, value]) => value)
    const same = { 'sec-fetch-site': 'same-origin' }
    /** Each token at each place, also in cookies that have been renamed. */
    const ways = [access, refresh]
      .flatMap((token) => [
        { headers: bearer(token) },
        { payload: { access_token: token } },
        { payload: { refresh_token: token } },
        { payload: { access_token: token, refresh_token: token } },
        { query: { access_token: token } },
        { query: { refresh_token: token } },
      ])
      .concat([
        {
          headers: same,
          cookies: { [`__Host-${stem}access`]: accessCookie!, [`__Secure-${stem}refresh`]: refreshCookie! },
        },
        { headers: same, cookies: { [`__Host-${stem}access`]: access, [`__Secure-${stem}refresh`]: refresh } },
      ] as never)

    const entered = { headers: bearer(access) }
    for (const name of doors.filter((name) => !name.startsWith('refresh'))) {
      t.equal(
        (await app.inject({ method: 'POST', url: `/${own}/${name}`, ...entered })).body,
        `${name.endsWith('stateless') ? undefined : 'ada'} of ${own}`,
        name
      )
    }
    for (const way of ways) {
      for (const name of doors) {
        const { statusCode, body, headers } = await app.inject({
          method: 'POST',
          url: `/${other}/${name}`,
          ...way,
        } as object)
        if (statusCode !== 401 || !String(headers['www-authenticate']).startsWith(`Bearer realm="${other}"`)) { t.fail(`${name}: ${statusCode} ${body}`, { way }) }
      }
      for (const route of ['refresh', 'logout']) {
        const { statusCode, body } = await app.inject({
          method: 'POST',
          url: `${prefixes[other]}/${route}`,
          ...way,
        } as object)
        // Our routes take no access_token in a body.
        if (![400, 401].includes(statusCode) || (statusCode === 400 && !body.includes('access_token'))) { t.fail(`${route}: ${statusCode} ${body}`, { way }) }
      }
      for (const [method, route] of [['GET', 'me'], ['POST', 'reauthenticate']] as const) {
        const { statusCode, body } = await app.inject({
          method,
          url: `${prefixes[other]}/${route}`,
          ...way,
          ...(method === 'POST' && { payload: { password } }),
        } as object)
        if (statusCode !== 401) t.fail(`${route}: ${statusCode} ${body}`, { way })
      }
    }
    t.match(
      (await app.inject({ method: 'POST', url: `/${other}/optional`, headers: bearer(access) })).json(),
      { code: 'ACCOUNTS_TOKEN_INVALID' },
      'no anonymous guest either'
    )
    for (const token of [access, refresh]) {
      await t.rejects(app[other].verify(token, { type: 'any' }), { code: 'ACCOUNTS_TOKEN_INVALID' })
      await t.rejects(app[other].revoke(token), { code: 'ACCOUNTS_TOKEN_INVALID' })
      t.strictSame(
        (
          await app.inject({
            method: 'POST',
            url: `${prefixes[other]}/introspect`,
            headers: { authorization: basic },
            payload: { token },
          })
        ).json(),
        { active: false }
      )
      t.equal(
        (await app.inject({ method: 'POST', url: `${prefixes[other]}/revoke`, payload: { token } })).statusCode,
        200
      )
      t.match(
        (
          await app.inject({
            method: 'POST',
            url: `${prefixes[own]}/introspect`,
            headers: { authorization: basic },
            payload: { token },
          })
        ).json(),
        { active: true, username: 'ada' }
      )
    }
    t.equal(
      (await app.inject({ method: 'POST', url: `${prefixes[own]}/refresh`, payload: { refresh_token: refresh } }))
        .statusCode,
      200,
      'after all of that the session goes on'
    )
  }
})

t.test('a route with both guards asks for both, in that order, and the last one says who it is', async (t) => {
  const { app, enter } = await buildTwo(t, { transport: 'both' })
  app.get('/both', { preHandler: [app.authenticate, app.admins.authenticate] }, who)
  app.get('/both-reversed', { onRequest: app.admins.authenticate, preHandler: app.authenticate }, who)
  const user = (await enter('accounts', 'ada', 'cookie')).cookies
  const admin = await enter('admins', 'root')
  const ask = async (url: string, token?: string, cookies = {}) => {
    const { statusCode, headers, body } = await app.inject({ url, headers: bearer(token), cookies })
    return [
      statusCode,
      headers['www-authenticate']?.toString().slice(0, 24),
      statusCode === 200 ? body : JSON.parse(body).code,
    ]
  }
  const cookies = { ...user, ...(await enter('admins', 'eve', 'cookie')).cookies }
  t.strictSame(await ask('/both'), [401, 'Bearer realm="accounts"', 'ACCOUNTS_TOKEN_MISSING'])
  t.strictSame(await ask('/both-reversed'), [401, 'Bearer realm="admins"', 'ACCOUNTS_TOKEN_MISSING'])
  t.strictSame(await ask('/both', undefined, user), [401, 'Bearer realm="admins"', 'ACCOUNTS_TOKEN_MISSING'])
  t.strictSame(
    await ask('/both', admin.access_token, user),
    [401, 'Bearer realm="accounts",', 'ACCOUNTS_TOKEN_INVALID'],
    'the header decides for each of them'
  )
  t.strictSame(await ask('/both', undefined, cookies), [200, undefined, 'eve of admins'])
  t.strictSame(await ask('/both-reversed', undefined, cookies), [200, undefined, 'ada of accounts'])
})

t.test('a session that ends takes none of the other kind with it', async (t) => {
  const { app, enter, get, post } = await buildTwo(t)
  const tokens = { accounts: await enter('accounts', 'ada'), admins: await enter('admins', 'ada') }
  t.equal((await post('/admin/logout', undefined, tokens.admins.access_token)).statusCode, 204)
  t.match((await get('/admin/me', tokens.admins.access_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.equal((await get('/auth/me', tokens.accounts.access_token)).statusCode, 200)
  t.equal((await app.accounts.verify(tokens.accounts.refresh_token, { type: 'refresh' })).user.username, 'ada')
})

t.test('two kinds of users in two scopes may have one name', async (t) => {
  const app = open(t)
  for (const prefix of ['/a', '/b']) {
    await app.register(async (scope) => {
      await addAccounts(scope)
      scope.get('/', { preHandler: scope.authenticate }, who)
    }, { prefix })
  }
  const { access_token: token } = (
    await app.inject({ method: 'POST', url: '/a/auth/register', payload: { username: 'ada', password } })
  ).json()
  t.equal((await app.inject({ url: '/a', headers: bearer(token) })).body, 'ada of accounts')
  t.equal(
    (await app.inject({ url: '/b', headers: bearer(token) })).statusCode,
    401,
    'another database, where there is no such session'
  )
})

const second: AccountsOptions = { name: 'admins', prefix: '/admin' }
const refusals: Record<
  string,
  { options: AccountsOptions; message: RegExp; host?: (app: FastifyInstance) => void; alone?: boolean }
> = {
  'the same name': {
    options: { prefix: '/admin' },
    message: /there are accounts named accounts already: register the plugin once/,
  },
  'the same name and other parties': {
    options: { prefix: '/admin', audience: 'x', issuer: 'y' },
    message: /there are accounts named accounts already/,
  },
  'the same issuer and audience': {
    options: { ...second, audience: 'fastify-jwt-accounts' },
    message: /admins and accounts must not share issuer and audience/,
  },
  'an audience among others': {
    options: { ...second, audience: ['x', 'fastify-jwt-accounts'] },
    message: /must not share issuer and audience/,
  },
  'a decorator that is taken': {
    options: second,
    host: (app) => {
      app.decorate('admins', {})
    },
    message: /app\.admins is there already/,
  },
  'app.authenticate that is taken': {
    options: {},
    host: (app) => {
      app.decorate('authenticate', (async () => {}) as Guard)
    },
    message: /app\.authenticate is there already/,
    alone: true,
  },
  'request.auth that is taken': {
    options: {},
    host: (app) => {
      app.decorateRequest('auth', null as never)
    },
    message: /request\.auth is there already/,
    alone: true,
  },
}

for (const [what, { options, message, host, alone }] of Object.entries(refusals)) {
  t.test(`the start is refused with ${what}`, async (t) => {
    const app = open(t)
    if (!alone) await addAccounts(app)
    host?.(app)
    await t.rejects(addAccounts(app, options), { code: 'ACCOUNTS_OPTIONS_INVALID', message })
  })
}

t.test('a scope below may add a kind of its own, which is not seen from above', async (t) => {
  const app = open(t)
  await addAccounts(app)
  await app.register(async (scope) => {
    await addAccounts(scope, second)
    scope.get('/admins', { preHandler: (scope as Kinds).admins.authenticate }, who)
  })
  t.match((await app.inject('/admins')).headers['www-authenticate'], 'Bearer realm="admins"')
  t.notOk(app.hasDecorator('admins'))
})

t.test('a scope below may not add a kind that it sees from above', async (t) => {
  const app = open(t)
  await addAccounts(app)
  await t.rejects(
    async () => {
      await app.register((scope) => addAccounts(scope, { prefix: '/admin' }))
    },
    { message: /there are accounts named accounts already/ }
  )
})

for (const order of [kinds, [...kinds].reverse()]) {
  t.test(`both stand in one document, ${order.join(' before ')}`, async (t) => {
    const app = open(t) as Kinds
    await app.register(swagger, { openapi: { openapi: '3.1.0', info: { title: 'Test', version: '1' } } })
    for (const name of order) await addAccounts(app, { ...everywhere, ...name === 'admins' && second })
    app.get('/users', { preHandler: app.authenticate }, who)
    app.get('/admins', { preHandler: app.admins.guard({ roles: ['admin'], locations: ['header'] }) }, who)
    app.get(
      '/both',
      {
        preHandler: [
          app.accounts.guard({ locations: ['header'] }),
          app.admins.guard({ locations: ['cookie', 'query'] }),
        ],
      },
      who
    )
    await app.ready()
    const document = app.swagger() as unknown as {
      paths: Record<
        string,
        Record<string, { operationId?: string; security?: object[]; tags?: string[]; responses: object }>
      >
      components: { securitySchemes: object }
    }
    const { valid, errors } = await new Validator().validate(document)
    t.ok(valid, JSON.stringify(errors))

    const operations = Object.values(document.paths)
      .flatMap((methods) => Object.values(methods))
      .filter(({ operationId }) => operationId)
    const ids = operations.map(({ operationId }) => operationId)
    t.equal(new Set(ids).size, ids.length)
    t.ok(
      ['login', 'adminsLogin', 'me', 'adminsMe', 'revoke', 'adminsRevoke'].every((id) => ids.includes(id)),
      ids.join()
    )
    t.strictSame([...new Set(operations.flatMap(({ tags }) => tags))].sort(), ['accounts', 'admins'])
    const schemes = [
      'client',
      ...['access', 'refresh'].flatMap((kind) => ['Token', 'Cookie', 'Query'].map((place) => `${kind}${place}`)),
    ]
    t.strictSame(
      Object.keys(document.components.securitySchemes).sort(),
      [...schemes, ...schemes.map((name) => `admins${name[0]!.toUpperCase()}${name.slice(1)}`)].sort()
    )
    t.match(document.paths['/admins']!.get, { security: [{ adminsAccessToken: [] }], responses: { 403: {} } })
    t.strictSame(Object.keys(document.paths['/users']!.get!.security![0]!), ['accessToken'])
    t.strictSame(
      document.paths['/admin/me']!.get!.security?.flatMap((each) => Object.keys(each)),
      ['adminsAccessToken', 'adminsAccessCookie']
    )
    const both = document.paths['/both']!.get!.security!.map((each) => Object.keys(each).sort())
    t.strictSame(
      both,
      [
        ['accessToken', 'adminsAccessCookie'],
        ['accessToken', 'adminsAccessQuery'],
      ],
      'what stands in one requirement is all needed'
    )
  })
}

t.test('kinds of users in scopes beside each other must not share issuer and audience either', async (t) => {
  const app = open(t)
  await app.register(async (scope) => { await addAccounts(scope, { name: 'users', prefix: '/users', audience: 'x' }) })
  await t.rejects(async () => {
    await app.register(async (scope) => {
      await addAccounts(scope, { name: 'staff', prefix: '/staff', audience: ['y', 'x'] })
    })
  }, { code: 'ACCOUNTS_OPTIONS_INVALID', message: /staff and users must not share issuer and audience/ })
})
