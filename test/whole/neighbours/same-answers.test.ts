import cors from '@fastify/cors'
import swagger from '@fastify/swagger'
import { Readable } from 'node:stream'
import { inspect } from 'node:util'
import type { FastifyInstance, InjectOptions, RouteShorthandOptions } from 'fastify'
import t from 'tap'
import { bearer, client } from '../../support/build.ts'
import { addAccounts, open, same } from './tour.ts'

/** Everything that a handler of a host may do: its routes are written with whatever guards them. */
function addHostRoutes (app: FastifyInstance, guard: RouteShorthandOptions): void {
  const give = (url: string, answer: unknown) => app.get(url, guard, async () => answer)
  give('/array', [1, 2, null])
  give('/number', 5)
  give('/string', 'text')
  give('/empty', '')
  give('/true', true)
  give('/object', { a: { b: [undefined, 1] }, when: new Date(0) })
  app.get('/null', guard, async (_request, reply) => reply.send(null))
  app.get('/nothing', guard, async (_request, reply) => reply.code(204).send())
  app.get('/buffer', guard, async () => Buffer.from([0, 1, 255]))
  app.get('/stream', guard, async (_request, reply) => reply.type('text/csv').send(Readable.from(['a,', 'b'])))
  app.get('/callback', guard, (_request, reply) => { reply.header('x-own', '1').send([{ a: 1 }]) })
  app.get('/web', guard, async () => new Response('web', { status: 202, headers: { 'x-own': '1' } }))
  app.get('/hijacked', guard, (_request, reply) => { reply.hijack(); reply.raw.end('raw') })
  app.get('/redirect', guard, async (_request, reply) => reply.redirect('/object'))
  app.get('/html', guard, async (_request, reply) => reply.type('text/html').send('<p>'))
  app.get('/cookie', guard, async (_request, reply) => reply.header('set-cookie', ['a=1', 'b=2']).send('ok'))
  app.get('/never', guard, async (_request, reply) => reply.callNotFound())
  app.get('/parameters/:id/*', guard, async ({ params, query }) => ({ params, query }))

  const own = { type: 'object', properties: { own: { type: 'integer' } } }
  const schemas = {
    '/schema/2xx': { response: { '2xx': own } },
    '/schema/4xx': { response: { '4xx': own } },
    '/schema/401': { response: { 200: own, 401: own } },
    '/schema/default': { response: { default: own } },
    '/schema/query': { querystring: { ...own, required: ['own'] }, response: { 200: own, 400: own } },
  }
  for (const [url, schema] of Object.entries(schemas)) {
    app.get(url, { ...guard, schema }, async ({ query }, reply) => {
      const { status = '200' } = query as { status?: string }
      return reply.code(Number(status)).send({ own: '5', more: 1, statusCode: 7, message: 'm' })
    })
  }
  app.get(
    '/array-of',
    { ...guard, schema: { response: { 200: { type: 'array', items: { type: 'integer' } } } } },
    async () => ['1', 2]
  )

  const fail = (url: string, error: unknown) => app.get(url, guard, async () => { throw error })
  fail('/fails', new Error('of the host'))
  fail(
    '/fails/teapot',
    Object.assign(new Error('short'), { statusCode: 418, code: 'TEAPOT', headers: { 'x-own': '1' } })
  )
  fail(
    '/fails/401',
    Object.assign(new Error('no'), { statusCode: 401, headers: { 'www-authenticate': 'Digest realm="host"' } })
  )
  fail('/fails/403', Object.assign(new Error('no'), { statusCode: 403, code: 'FORBIDDEN' }))
  fail('/fails/object', { statusCode: 400, own: 1 })
  fail('/fails/string', 'text')
  app.get('/own-401', guard, async (_request, reply) =>
    reply.code(401).header('www-authenticate', 'Basic realm="host"').send({ own: 401 })
  )
  app.get(
    '/own-handler',
    {
      ...guard,
      errorHandler: (error, _request, reply) => {
        reply.code(409).send(`own ${error.message}`)
      },
    },
    async () => {
      throw new Error('x')
    }
  )

  app.route({ ...guard, method: ['POST', 'PUT', 'PATCH'], url: '/body', handler: async ({ body }) => body ?? 'none' })
  app.post(
    '/checked',
    {
      ...guard,
      schema: {
        body: {
          type: 'object',
          required: ['count'],
          additionalProperties: false,
          properties: { count: { type: 'integer' }, text: { type: 'string', default: 'd' } },
        },
      },
    },
    async ({ body }) => body
  )
  app.delete('/gone', guard, async (_request, reply) => reply.code(204).send())
  app.options('/options', guard, async () => 'own options')
  app.head('/head', guard, async (_request, reply) => reply.header('x-own', 'head').send())
}

const json = { 'content-type': 'application/json' }
const preflight = { origin: 'https://app.example', 'access-control-request-method': 'GET' }

const gets = [
  '/array',
  '/number',
  '/string',
  '/empty',
  '/true',
  '/object',
  '/null',
  '/nothing',
  '/buffer',
  '/stream',
  '/callback',
  '/web',
  '/hijacked',
  '/redirect',
  '/html',
  '/cookie',
  '/never',
  '/parameters/%C3%A9/a/b?x=1&x=2',
  ...['2xx', '4xx', '401', 'default'].flatMap((name) =>
    ['200', '202', '400', '401', '403'].map((status) => `/schema/${name}?status=${status}`)
  ),
  '/schema/query',
  '/schema/query?own=5',
  '/array-of',
  '/fails',
  '/fails/teapot',
  '/fails/401',
  '/fails/403',
  '/fails/object',
  '/fails/string',
  '/own-401',
  '/own-handler',
  '/nowhere',
  '/object/',
  '/auth',
  '/authx',
]

/** What a client asks of the host. */
const requests: InjectOptions[] = [
  ...gets.flatMap((url) => [{ url }, { method: 'HEAD' as const, url }]),
  ...['POST', 'PUT', 'PATCH'].flatMap((method) =>
    ['{"a":1}', '[]', 'null', '', '{', '{"__proto__":1}'].map(
      (payload) => ({ method, url: '/body', headers: json, payload }) as InjectOptions
    )
  ),
  ...['{"count":"5"}', '{"count":"x"}', '{"count":1,"more":1}', '[]'].map((payload) => ({
    method: 'POST' as const,
    url: '/checked',
    headers: json,
    payload,
  })),
  { method: 'POST', url: '/body', headers: { 'content-type': 'text/plain' }, payload: 'text' },
  { method: 'POST', url: '/body', headers: { 'content-type': 'text/odd' }, payload: 'text' },
  { method: 'POST', url: '/body', headers: json, payload: `"${'x'.repeat(2 ** 20)}"` },
  { method: 'POST', url: '/body' },
  { method: 'DELETE', url: '/gone' },
  { method: 'DELETE', url: '/object' },
  { method: 'OPTIONS', url: '/options' },
  { method: 'OPTIONS', url: '/options', headers: preflight },
  { method: 'OPTIONS', url: '/object', headers: preflight },
  { method: 'OPTIONS', url: '/object' },
  { method: 'HEAD', url: '/head' },
]

async function seen (app: FastifyInstance, request: InjectOptions, headers: object = {}) {
  const answer = await app.inject({ ...request, headers: { ...request.headers, ...headers } as Record<string, string> })
  const { date: _, ...rest } = answer.headers
  return { status: answer.statusCode, headers: rest, body: answer.rawPayload.toString('latin1') }
}

interface Surroundings {
  /** Done to the app before us. */
  app?: (app: FastifyInstance) => unknown
  /** Done to the scope that holds the host's routes. */
  scope?: (scope: FastifyInstance) => unknown
}

const surroundings: Record<string, Surroundings> = {
  'an app with nothing else': {},
  'an app with @fastify/cors': { app: (app) => app.register(cors) },
  'an app with @fastify/swagger': {
    app: (app) => app.register(swagger, { openapi: { openapi: '3.1.0', info: { title: 'Test', version: '1' } } }),
  },
  'an app with handlers of its own': {
    app (app) {
      app.setErrorHandler<Error & { statusCode?: number }>((error, _request, reply) => {
        reply.code(error.statusCode ?? 500).send({ oops: String(error) })
      })
      app.setNotFoundHandler((_request, reply) => {
        reply.code(404).send('none')
      })
    },
  },
  'a scope that wraps what it sends': {
    scope (scope) {
      scope.addHook('preSerialization', async (_request, _reply, payload) => ({ data: payload }))
      scope.setReplySerializer((payload) => `host:${JSON.stringify(payload)}`)
    },
  },
}

/** How the host's routes are guarded in the app with accounts. */
const ways: Record<string, (scope: FastifyInstance) => void> = {
  'with no guard': (scope) => addHostRoutes(scope, {}),
  'with a guard in preHandler': (scope) => addHostRoutes(scope, { preHandler: scope.authenticate }),
  'with guards in onRequest and preValidation': (scope) =>
    addHostRoutes(scope, { onRequest: [scope.authenticate], preValidation: scope.accounts.guard({ type: 'any' }) }),
  'in a protected scope' (scope) {
    scope.accounts.protect(scope)
    addHostRoutes(scope, {})
  },
}

for (const [where, { app: prepare, scope: prepareScope }] of Object.entries(surroundings)) {
  t.test(`answers of the host are byte for byte what they were without us: ${where}`, async (t) => {
    const placed = async (app: FastifyInstance, place: (scope: FastifyInstance) => void) =>
      app.register(async (scope) => {
        await prepareScope?.(scope)
        place(scope)
      })
    const askAll = async (app: FastifyInstance, headers?: object) => {
      const answers: Record<string, object> = {}
      for (const request of requests) answers[inspect(request).slice(0, 200)] = await seen(app, request, headers)
      return answers
    }
    const bare = open(t)
    await prepare?.(bare)
    await placed(bare, (scope) => addHostRoutes(scope, {}))
    const expected = await askAll(bare)

    // Elsewhere two of the ways say as much.
    for (const [way, place] of Object.entries(ways).filter(
      (_, index) => where === 'an app with nothing else' || index % 2 === 1
    )) {
      const app = open(t)
      await prepare?.(app)
      await addAccounts(app)
      await placed(app, place)
      await app.ready()
      const { access_token: token } = await client(app).signUp()
      same(t, await askAll(app, bearer(token)), expected, way)
    }
  })
}
