import formbody from '@fastify/formbody'
import { FastifyOtelInstrumentation } from '@fastify/otel'
import swagger from '@fastify/swagger'
import type { FastifyRequest } from 'fastify'
import t, { type Test } from 'tap'
import { cookieHeader, setBy } from '../../support/browser.ts'
import { bearer, client, password } from '../../support/build.ts'
import { addAccounts, addRoutes, inject, open, same, tour, usualTour, type Host } from './tour.ts'

/** Both ways of @fastify/otel: as the first plugin, and in every app from its making on. */
const ways: Record<string, (t: Test) => Host> = {
  'registered first' () {
    const instrumentation = new FastifyOtelInstrumentation()
    return (app) => app.register(instrumentation.plugin())
  },
  'there as soon as an app is made' (t) {
    const instrumentation = new FastifyOtelInstrumentation({ registerOnInitialization: true })
    t.teardown(() => instrumentation.disable())
    return () => {}
  },
}

for (const [which, prepare] of Object.entries(ways)) {
  t.test(`@fastify/otel, ${which}, wraps every hook, and guards are known all the same`, async (t) => {
    const register = prepare(t)
    const lines: string[] = []
    const app = open(t, { logger: { stream: { write: (line) => { lines.push(line) } } } })
    await register(app)
    await app.register(swagger, { openapi: { openapi: '3.1.0', info: { title: 'Test', version: '1' } } })
    await app.register(formbody)
    await addAccounts(app, { transport: 'both', csrf: { formField: 'csrf_token' } })
    await addRoutes(app)
    const closed = { body: { type: 'object', additionalProperties: false, properties: { text: { type: 'string' } } } }
    const handler = async ({ user }: FastifyRequest) => user.username
    const inQuery = { locations: ['query' as const] }
    app.get('/query', { preHandler: app.accounts.guard(inQuery) }, handler)
    app.post('/stripped', { preHandler: app.authenticateRefresh, schema: closed }, handler)
    app.post('/form', { preHandler: [app.accounts.guard({ locations: ['cookie'] })], schema: closed }, handler)
    await app.register(async (scope) => {
      app.accounts.protect(scope, inQuery)
      scope.get('/inside', handler)
    })
    t.throws(() => app.get('/too-early', { onRequest: app.authenticateRefresh }, handler), {
      message: /has authenticateRefresh in onRequest/,
    })
    t.throws(() => app.get('/factory', { onRequest: app.accounts.guard as never }, handler), {
      message: /has app.accounts.guard itself/,
    })

    const { post, signUp } = client(app)
    const { access_token: access, refresh_token: refresh } = await signUp()
    const { paths } = app.swagger() as unknown as { paths: Record<string, Record<string, { security?: object[] }>> }
    for (const path of ['/guarded', '/early', '/closed/inside']) { t.strictSame(paths[path]!.get!.security, [{ accessToken: [] }, { accessCookie: [] }], path) }
    t.strictSame(paths['/query']!.get!.security, [{ accessQuery: [] }])
    t.equal((await post('/stripped', { refresh_token: refresh })).body, 'ada', 'a token beside a schema that strips it')

    for (const url of ['/query', '/inside']) { t.equal((await app.inject(`${url}?access_token=${access}`)).body, 'ada', url) }
    t.equal((await app.inject({ method: 'HEAD', url: `/query?access_token=${access}` })).statusCode, 200)
    t.notMatch(lines.join(), access, 'no token of a query is in the log')

    const login = await post('/auth/login', { username: 'ada', password, transport: 'cookie' })
    const headers = { cookie: cookieHeader(setBy(login)), 'content-type': 'application/x-www-form-urlencoded' }
    const form = (fields: Record<string, string>) =>
      app.inject({ method: 'POST', url: '/form', headers, payload: new URLSearchParams(fields).toString() })
    t.equal((await form({ text: 'x', csrf_token: login.json().csrf_token })).body, 'ada', 'so is a value against CSRF')
    t.equal((await form({ text: 'x' })).statusCode, 403)
    t.equal((await app.inject({ url: '/guarded', headers: bearer(refresh) })).statusCode, 401)
  })

  t.test(`the whole tour is the same with @fastify/otel ${which}`, async (t) => {
    const usual = await usualTour(t)
    const register = prepare(t)
    const app = open(t)
    await register(app)
    await addAccounts(app)
    await addRoutes(app)
    same(t, await tour(inject(app)), usual)
  })
}
