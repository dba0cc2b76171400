import cookie from '@fastify/cookie'
import { createRequire } from 'node:module'
import type { FastifyInstance, FastifyReply } from 'fastify'
import t, { type Test } from 'tap'
import { browser, setBy } from '../../support/browser.ts'
import { password } from '../../support/build.ts'
import { addAccounts, open } from './tour.ts'

const require = createRequire(import.meta.url)

const ada = { username: 'ada', password }
const secret = 'r7Kp2WvXq9LmT4cYz8NbH3sDf6JgA1eU'
const ours = ['__Host-access', '__Secure-refresh', '__Host-csrf']

/** Where the host registers @fastify/cookie, as seen from the accounts. */
const places = ['nowhere', 'before', 'after', 'above', 'in a scope beside'] as const

/** An app with accounts in cookies, and the scope whose routes have the host's @fastify/cookie, if any has. */
async function appWith (t: Test, place: typeof places[number], register: (scope: FastifyInstance) => unknown) {
  const app = open(t)
  let visited: FastifyInstance = app
  if (place === 'before' || place === 'above') await register(app)
  const inCookies = (scope: FastifyInstance) => addAccounts(scope, { transport: 'cookie' })
  await (place === 'above' ? app.register(async (scope) => inCookies(visited = scope)) : inCookies(app))
  if (place === 'after') await register(app)
  if (place === 'in a scope beside') await app.register(async (scope) => { await register(visited = scope) })
  return { app, visited }
}

/** The lines that an answer sets. */
function linesOf ({ headers }: { headers: Record<string, unknown> }): string[] {
  return [headers['set-cookie'] ?? []].flat().map(String)
}

/** The same without what differs from one session to the next. */
function attributesOf (answer: { headers: Record<string, unknown> }): string[] {
  return linesOf(answer).map((line) => line.replace(/=[^;]+/, '=…'))
}

/** What somebody may have set for the cookies of an app, and would spoil ours. */
const hosts: Record<string, object> = {
  'values in a form of its own': {
    parseOptions: { encode: (value: string) => `~${value}`, decode: (value: string) => value.toUpperCase() },
  },
  'attributes for all its cookies': {
    secret,
    parseOptions: {
      domain: 'host.example', maxAge: 5, expires: new Date(0), priority: 'high', signed: true, partitioned: true,
    },
  },
  'no hook': { hook: false },
  'a late hook': { hook: 'preHandler' },
}

for (const [which, options] of Object.entries(hosts)) {
  t.test(`beside @fastify/cookie with ${which}, our cookies are what they are without it`, async (t) => {
    let usual: string[][] | undefined
    for (const place of places) {
      const { app, visited } = await appWith(t, place, (scope) => scope.register(cookie, options))
      visited.get('/guarded', { preHandler: visited.authenticate }, async ({ user }) => user.username)
      const page = browser(app)
      const lines: string[][] = []
      for (const route of ['register', 'login', 'refresh', 'logout']) {
        if (route === 'logout') t.equal((await page.get('/guarded')).body, 'ada', place)
        const answer = await page.post(`/auth/${route}`, ['register', 'login'].includes(route) ? ada : undefined)
        t.ok(answer.statusCode < 300, `${place} ${route} ${answer.body}`)
        lines.push(attributesOf(answer))
      }
      t.strictSame(lines, usual ??= lines, place)
      t.strictSame(page.names(), [], 'a logout takes them all back')
    }
  })
}

t.test('a cookie of others that the decoder of the host throws at keeps nobody out', async (t) => {
  // With a hook it would throw at every request, whoever sees to it.
  const strict: object = { hook: false, parseOptions: { decode: decodeURIComponent } }
  for (const place of places) {
    const { app, visited } = await appWith(t, place, (scope) => scope.register(cookie, strict))
    visited.get('/guarded', { preHandler: visited.authenticate }, async ({ user }) => user.username)
    const headers = { cookie: 'theirs=%' }
    const registered = await app.inject({ method: 'POST', url: '/auth/register', payload: ada, headers })
    t.equal(registered.statusCode, 201, place)
    const [access] = linesOf(registered)
    const both = { cookie: `theirs=%; ${access!.split(';')[0]}` }
    t.equal((await app.inject({ url: '/guarded', headers: both })).body, 'ada', place)
  }
})

t.test('the host goes on with its options, before and after us: on our routes as well', async (t) => {
  const decode = (value: string) => `<${value}>`
  const options: object = { secret, parseOptions: { path: '/', httpOnly: true, decode } }
  for (const place of ['before', 'after', 'above'] as const) {
    const seen: unknown[] = []
    const { app, visited } = await appWith(t, place, (scope) => scope.register(cookie, options))
    visited.addHook('preHandler', async ({ cookies }, reply) => {
      seen.push(cookies)
      reply.setCookie('visited', 'yes', { signed: true })
    })
    visited.get('/own', async ({ server }) => server.parseCookie('a=1'))

    const headers = { cookie: 'theirs=2' }
    for (const [url, names] of [['/auth/register', ours], ['/own', []]] as const) {
      const answer = await app.inject({ url, headers, ...url !== '/own' && { method: 'POST', payload: ada } })
      const set = setBy(answer)
      t.strictSame(Object.keys(set).sort(), [...names, 'visited'].sort(), `${place} ${url}`)
      t.match(set.visited, { path: '/', httpOnly: true, value: /^yes\.[\w+/]{43}$/ })
      if (url === '/own') t.strictSame(answer.json(), { a: '<1>' })
    }
    t.match(seen, [{ theirs: '<2>' }, { theirs: '<2>' }])
  }
})

t.test('cookies of the host and ours stand on one answer, each once, whichever comes first', async (t) => {
  const ways = {
    setCookie: (reply: FastifyReply, name: string) => reply.setCookie(name, '1'),
    header: (reply: FastifyReply, name: string) => reply.header('set-cookie', `${name}=1`),
  }
  for (const place of places) {
    for (const set of place === 'nowhere' ? [ways.header] : Object.values(ways)) {
      const { app, visited } = await appWith(t, place, (scope) => scope.register(cookie))
      visited.post('/enter', async (request, reply) => {
        set(reply, 'first')
        const { id } = await visited.accounts.users.create({ username: 'ada' })
        await visited.accounts.issueTokens(id, { request, reply })
        set(reply, 'last')
        return {}
      })
      visited.post('/leave', async (_request, reply) => {
        set(reply, 'first')
        visited.accounts.clearCookies(reply)
        set(reply, 'last')
        throw new Error('which changes nothing')
      })
      for (const [url, status] of [['/enter', 200], ['/leave', 500]] as const) {
        const answer = await app.inject({ method: 'POST', url })
        t.equal(answer.statusCode, status)
        const names = linesOf(answer).map((line) => line.split('=')[0])
        t.strictSame(names.toSorted(), [...ours, 'first', 'last'].toSorted(), `${place} ${set.name} ${url}`)
      }
    }
  }
})

t.test('our cookies are on answers where those of @fastify/cookie are lost: a hook fails, or none runs', async (t) => {
  const app = open(t)
  const seen: number[] = []
  app.addHook('onSend', async ({ url }, reply) => {
    seen.push(linesOf({ headers: reply.getHeaders() }).length)
    if (url === '/fails') throw new Error('before @fastify/cookie has its turn')
  })
  await app.register(cookie)
  await addAccounts(app, { transport: 'cookie' })
  const issue = async (reply: FastifyReply) => {
    const { id } = await app.accounts.users.create({ username: `ada-${seen.length}` })
    reply.setCookie('theirs', '1')
    return app.accounts.issueTokens(id, { reply })
  }
  app.post('/fails', async (_request, reply) => issue(reply))
  app.post('/streams', async (_request, reply) => {
    await issue(reply)
    reply.hijack()
    reply.raw.writeHead(200, reply.getHeaders() as Record<string, string[]>).end()
  })

  for (const [url, status] of [['/fails', 500], ['/streams', 200]] as const) {
    const answer = await app.inject({ method: 'POST', url })
    t.equal(answer.statusCode, status)
    t.strictSame(Object.keys(setBy(answer)), ours, url)
  }
  t.equal(seen[0], 3, 'and hooks of the host see them, whatever their place')
})

t.test('another copy of @fastify/cookie, and decorators of its names that are none of it, do no harm', async (t) => {
  const path = require.resolve('@fastify/cookie')
  const known = require.cache[path]
  delete require.cache[path]
  const copy: typeof cookie = require(path)
  require.cache[path] = known
  t.not(copy, cookie)

  const nothing = () => { throw new Error('called by us') }
  const registers: Record<string, (app: FastifyInstance) => unknown> = {
    'another copy': (app) => app.register(copy, hosts['values in a form of its own']!),
    'its own decorators': (app) => {
      app.decorateRequest('cookies', null as never).decorateReply('setCookie', nothing)
      app.decorate('parseCookie', nothing).decorate('serializeCookie', nothing)
    },
  }
  for (const [which, register] of Object.entries(registers)) {
    for (const place of places) {
      const { app, visited } = await appWith(t, place, register)
      visited.get('/guarded', { preHandler: visited.authenticate }, async ({ user }) => user.username)
      const page = browser(app)
      t.equal((await page.post('/auth/register', ada)).statusCode, 201, `${which} ${place}`)
      t.equal((await page.get('/guarded')).body, 'ada', `${which} ${place}`)
    }
  }
})
