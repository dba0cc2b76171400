import { connect, type IncomingHttpHeaders } from 'node:http2'
import { request as requestHttp } from 'node:http'
import { join } from 'node:path'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import {
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod'
import swagger from '@fastify/swagger'
import { Validator } from '@seriousme/openapi-schema-validator'
import t, { type Test } from 'tap'
import { z } from 'zod'
import accounts from '../../../lib/index.ts'
import { bearer, buildOnFile, cheap, client, password, secret } from '../../support/build.ts'
import { addAccounts, addRoutes, inject, open, same, tour, usualTour, type Host, type Send, type Stop } from './tour.ts'
import { Fastify } from '../../support/fastify.ts'
import { temporaryFolder } from '../../support/folder.ts'

/** An app whose host does its part before or after the accounts come. */
async function hosted (t: Test, host: Host, order: 'before' | 'after' = 'before', server: FastifyServerOptions = {}) {
  const app = open(t, server)
  if (order === 'before') await host(app)
  await addAccounts(app)
  if (order === 'after') await host(app)
  await addRoutes(app)
  return app
}

const nothing = () => {}

/** A logger with no more than Fastify asks for. */
function handWritten (): FastifyServerOptions['loggerInstance'] & object {
  const log = { level: 'info', child: () => log } as unknown as NonNullable<FastifyServerOptions['loggerInstance']>
  for (const level of ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const) log[level] = nothing
  return log
}

/** A logger that was made elsewhere, by pino. */
const fromPino = Fastify({ logger: { level: 'trace', stream: { write: nothing } } }).log

const servers: Record<string, FastifyServerOptions> = {
  'an Ajv that strips, coerces and fills, a logger of its own hand and no HEAD routes': {
    ajv: { customOptions: { removeAdditional: 'all', coerceTypes: 'array', useDefaults: true } },
    loggerInstance: handWritten(),
    exposeHeadRoutes: false,
    requestTimeout: 1000,
    rewriteUrl: ({ url }) => url!.replace('/old', ''),
  },
  'an Ajv that is strict and has plugins, a logger from elsewhere, and routes in any spelling': {
    ajv: {
      customOptions: { strict: true, allErrors: true, keywords: ['x-host'] },
      plugins: [(ajv) => ajv.addFormat('password', () => false), (ajv) => ajv.addKeyword('callable')],
    },
    loggerInstance: fromPino,
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true, caseSensitive: false },
    bodyLimit: 1000,
  },
  'a schemaErrorFormatter, no logger, and trust in its proxy': {
    schemaErrorFormatter: () => new Error('of the host'),
    logger: false,
    trustProxy: true,
    return503OnClosing: false,
    bodyLimit: 2 ** 25,
  },
  'no lines about requests, ids of its own for them, and poisoned JSON let through': {
    logger: { level: 'trace', stream: { write: nothing } },
    disableRequestLogging: true,
    onProtoPoisoning: 'ignore',
    onConstructorPoisoning: 'ignore',
    genReqId: () => 'one',
    requestIdHeader: 'x-id',
  },
}

for (const [which, server] of Object.entries(servers)) {
  t.test(`the whole tour is the same in a host with ${which}`, async (t) => {
    same(t, await tour(inject(await hosted(t, nothing, 'before', server))), await usualTour(t))
  })
}

const wrap = (payload: unknown) => ({ data: payload })

const hosts: Record<string, Host> = {
  'compilers of its own': (app) => {
    app.setValidatorCompiler(() => () => ({ error: new Error('of the host') }))
    app.setSerializerCompiler(() => () => '"of the host"')
    app.setSchemaErrorFormatter(() => new Error('of the host'))
  },
  'a not-found handler': (app) => {
    app.setNotFoundHandler((_request, reply) => reply.code(404).send('of the host'))
  },
  'a body parser for everything': (app) => {
    app.addContentTypeParser('*', (_request, _payload, done) => done(null, { of: 'the host' }))
  },
  'schemas with ids': (app) => {
    for (const $id of ['User', 'TokenResponse', 'Error', 'def-0']) app.addSchema({ $id, type: 'string' })
  },
  'an error handler that passes on': (app) => {
    app.setErrorHandler(async (error) => {
      throw error
    })
  },
  'hooks on everything': (app) => {
    app.addHook('onRequest', async () => {}).addHook('preParsing', async (_request, _reply, payload) => payload)
    app.addHook('preValidation', async () => {}).addHook('preHandler', async () => {})
    app
      .addHook('preSerialization', async (_request, _reply, payload) => payload)
      .addHook('onSend', async (_request, _reply, payload) => payload)
    app
      .addHook('onError', async () => {})
      .addHook('onResponse', async () => {})
      .addHook('onTimeout', async () => {})
  },
  'names like ours in other scopes': async (app) => {
    const isBefore = !app.hasDecorator('accounts')
    await app.register(async (scope) => {
      for (const name of ['accounts', 'authenticate', 'authenticateRefresh', 'jwt']) { scope.decorate(name, () => 'of the host') }
      // What stands on requests of the app, Fastify lets no scope below have anew.
      if (isBefore) for (const name of ['auth', 'user']) scope.decorateRequest(name, null)
      scope.get('/elsewhere', async () => 'of the host')
    })
  },
}

for (const [which, host] of Object.entries(hosts)) {
  t.test(`the whole tour is the same in a host with ${which}`, async (t) => {
    same(t, await tour(inject(await hosted(t, host))), await usualTour(t))
  })
}

t.test('the whole tour is the same in a host that does all of this after us', async (t) => {
  const app = await hosted(
    t,
    async (app) => {
      for (const host of Object.values(hosts).slice(1)) await host(app)
    },
    'after'
  )
  same(t, await tour(inject(app)), await usualTour(t))
})

/** True for an answer of a route of ours. */
function isOurs ({ what }: Stop): boolean {
  return !/^\/(guarded|early|closed)|^authenticateRefresh/.test(what)
}

const reshaping: Record<string, Host> = {
  'a preSerialization hook that wraps': (app) => {
    app.addHook('preSerialization', async (_request, _reply, payload) => wrap(payload))
  },
  'a reply serializer': (app) => {
    app.setReplySerializer((payload) => JSON.stringify(wrap(payload)))
  },
}

for (const [which, host] of Object.entries(reshaping)) {
  t.test(`${which} changes the host's answers, and ours stay as they are documented`, async (t) => {
    const usual = (await usualTour(t)).filter(isOurs)
    for (const order of ['before', 'after'] as const) {
      const app = await hosted(t, host, order)
      const { signUp, get } = client(app)
      const { access_token: token } = await signUp('eve')
      t.match((await get('/guarded', token)).json(), { data: { user: { username: 'eve' } } }, 'as the host wants it')
      same(t, (await tour(inject(app))).filter(isOurs), usual, order)
    }
  })
}

t.test('an onSend hook that changes bytes has the last word, over our answers too', async (t) => {
  const usual = await usualTour(t)
  for (const order of ['before', 'after'] as const) {
    const app = await hosted(t, (app) => {
      app.addHook('onSend', async (_request, reply, payload) => {
        reply.header('x-host', 'seen')
        return typeof payload === 'string' ? `{"data":${payload || null}}` : payload
      })
    }, order)
    const stops = await tour(inject(app), { wrapped: (body) => JSON.stringify(JSON.parse(body).data) })
    same(
      t,
      stops.map(({ body, ...stop }) => ({ ...stop, body: body && JSON.stringify(JSON.parse(body).data) })),
      usual,
      order
    )
    const { headers } = await app.inject('/auth/me')
    t.match(headers, { 'x-host': 'seen', 'cache-control': 'no-store' })
  }
})

/** An error handler with a shape of its own, which drops the headers of errors. */
const reshapeErrors = (name: string): Host => (app) => {
  app.setErrorHandler((error: Error & { statusCode?: number, code?: string }, _request, reply) => {
    reply.code(error.statusCode ?? 500).send({ [name]: error.code ?? error.message })
  })
}

t.test('an error handler of the host gives errors its shape, and every 401 keeps its challenge', async (t) => {
  const usual = await usualTour(t)
  for (const order of ['before', 'after'] as const) {
    const stops = await tour(inject(await hosted(t, reshapeErrors('oops'), order)))
    // Fastify hands an error handler down to scopes that are made after it, and ours is made when we come.
    const isReshaped = (stop: Stop) => stop.status >= 400 && (order === 'before' || !isOurs(stop))
    const expected = usual.map((stop) =>
      isReshaped(stop) ? { ...stop, body: JSON.stringify({ oops: JSON.parse(stop.body).code }) } : stop
    )
    same(t, stops, expected, order)
  }
})

t.test('an error handler of a child is asked for the routes of that child alone', async (t) => {
  const app = open(t)
  await addAccounts(app)
  await app.register(async (scope) => {
    await reshapeErrors('inner')(scope)
    scope.get('/guarded', { preHandler: app.authenticate }, async () => 'secret')
    await scope.register(async (deep) => {
      app.accounts.protect(deep)
      deep.get('/', async () => 'secret')
      deep.setNotFoundHandler(async () => 'nothing')
    }, { prefix: '/deep' })
  }, { prefix: '/child' })

  for (const url of ['/child/guarded', '/child/deep', '/child/deep/nowhere']) {
    const { statusCode, headers, body } = await app.inject(url)
    t.strictSame(
      [statusCode, headers['www-authenticate'], body],
      [401, 'Bearer realm="accounts"', '{"inner":"ACCOUNTS_TOKEN_MISSING"}'],
      url
    )
  }
  t.match((await app.inject('/auth/me')).json(), { code: 'ACCOUNTS_TOKEN_MISSING', statusCode: 401 })
})

t.test('a body limit of the host stays the limit of its own routes', async (t) => {
  const app = await hosted(
    t,
    (app) => {
      app.post('/host', async ({ body }) => String((body as { a: string }).a.length))
    },
    'before',
    { bodyLimit: 100 }
  )
  const send = async (url: string, length: number) =>
    (await app.inject({ method: 'POST', url, payload: { a: 'x'.repeat(length) } })).statusCode
  t.strictSame([await send('/host', 50), await send('/host', 150)], [200, 413])
  t.strictSame(
    [await send('/auth/login', 150), await send('/auth/login', 16 * 1024)],
    [400, 413],
    'ours have their own'
  )
})

for (const order of ['before', 'after'] as const) {
  t.test(
    `a host that speaks zod, set up ${order} us: its schemas hold on guarded routes, and ours on ours`,
    async (t) => {
      const app = open(t)
      const speakZod: Host = async (app) => {
        app.setValidatorCompiler(validatorCompiler)
        app.setSerializerCompiler(serializerCompiler)
        await app.register(swagger, {
          openapi: { openapi: '3.1.0', info: { title: 'Test', version: '1' } },
          transform: jsonSchemaTransform,
        })
      }
      if (order === 'before') await speakZod(app)
      await addAccounts(app)
      if (order === 'after') await speakZod(app)
      await addRoutes(app)
      const typed = app.withTypeProvider<ZodTypeProvider>()
      const schema = {
        body: z.object({ count: z.coerce.number().int(), refresh_token: z.string().optional() }),
        response: {
          200: z.object({ count: z.number(), name: z.string() }),
          409: z.object({ own: z.literal('conflict') }),
        },
      }
      const guards = {
        preHandler: app.authenticate,
        onRequest: app.authenticate,
        preValidation: app.accounts.guard({ roles: [] }),
      }
      for (const [hook, guard] of Object.entries(guards)) {
        typed.post(`/zod/${hook}`, { schema, [hook]: guard }, async ({ body: { count }, user }, reply) =>
          count === 9 ? reply.code(409).send({ own: 'conflict' }) : { count, name: user.username!, hidden: true }
        )
      }
      typed.post(
        '/zod/refresh',
        { schema, preHandler: app.authenticateRefresh },
        async ({ body: { count }, user }) => ({ count, name: user.username! })
      )
      await app.ready()

      same(t, await tour(inject(app)), await usualTour(t))
      const { post, signUp } = client(app)
      const { access_token: token, refresh_token: refresh } = await signUp()
      for (const hook of Object.keys(guards)) {
        t.strictSame((await post(`/zod/${hook}`, { count: '3' }, token)).json(), { count: 3, name: 'ada' }, hook)
        t.strictSame((await post(`/zod/${hook}`, { count: 9 }, token)).json(), { own: 'conflict' }, hook)
        t.match(
          (await post(`/zod/${hook}`, { count: 'x' }, token)).json(),
          { statusCode: 400, code: 'FST_ERR_VALIDATION' },
          hook
        )
        const refused = await post(`/zod/${hook}`, { count: 3 })
        t.match(
          [refused.json(), refused.headers['www-authenticate']],
          [{ statusCode: 401, code: 'ACCOUNTS_TOKEN_MISSING' }, 'Bearer realm="accounts"'],
          hook
        )
      }
      t.strictSame((await post('/zod/refresh', { count: 1, refresh_token: refresh })).json(), { count: 1, name: 'ada' })
      t.match((await post('/zod/refresh', { count: 1 })).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_MISSING' })

      if (order === 'after') return
      const document = app.swagger() as unknown as {
        paths: Record<string, Record<string, { security: object[]; responses: object }>>
      }
      const { valid, errors } = await new Validator().validate(document)
      t.ok(valid, JSON.stringify(errors))
      const { security, responses } = document.paths['/zod/onRequest']!.post!
      t.strictSame(
        [security, Object.keys(responses)],
        [[{ accessToken: [] }], ['200', '409']],
        'no answers of ours among those of another language'
      )
    }
  )
}

/** Sends requests over HTTP/1.1 to where an app listens. */
function overHttp (target: { port: number } | { socketPath: string }): Send {
  return ({ method, url, token, body }) => new Promise((resolve, reject) => {
    const text = body && JSON.stringify(body)
    const headers = {
      ...bearer(token),
      ...(text && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    }
    const request = requestHttp({ ...target, method, path: url, headers, agent: false }, async (response) => {
      const parts = await response.toArray()
      resolve({ statusCode: response.statusCode!, headers: response.headers, body: Buffer.concat(parts).toString() })
    })
    request.on('error', reject).end(text)
  })
}

t.test('the whole tour is the same over a real connection', async (t) => {
  const app = await hosted(t, nothing)
  await app.listen({ host: '127.0.0.1', port: 0 })
  same(t, await tour(overHttp(app.server.address() as AddressInfo)), await usualTour(t))
})

t.test('the whole tour is the same over a Unix socket', async (t) => {
  const app = await hosted(t, nothing)
  const socketPath = join(temporaryFolder(t), 's')
  await app.listen({ path: socketPath })
  same(t, await tour(overHttp({ socketPath })), await usualTour(t))
})

t.test('the whole tour is the same over HTTP/2 without TLS', async (t) => {
  const app = Fastify({ http2: true })
  t.teardown(() => app.close())
  await app.register(accounts, { db: ':memory:', secret, password: cheap })
  await addRoutes(app as unknown as FastifyInstance)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const session = connect(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}`)
  t.teardown(() => session.destroy())

  const send: Send = ({ method, url, token, body }) => new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': method,
      ':path': url,
      ...bearer(token),
      ...(body && { 'content-type': 'application/json' }),
    })
    let headers: IncomingHttpHeaders = {}
    stream.on('response', (given) => { headers = given })
    stream
      .toArray()
      .then(
        (parts) => resolve({ statusCode: Number(headers[':status']), headers, body: Buffer.concat(parts).toString() }),
        reject
      )
    stream.end(body && JSON.stringify(body))
  })
  same(t, await tour(send), await usualTour(t))
})

t.test(
  'behind a proxy that is trusted a session knows the address of its client, and elsewhere not what a header says',
  async (t) => {
    for (const [trustProxy, ip] of [
      [true, '203.0.113.9'],
      [false, '127.0.0.1'],
    ] as const) {
      const { app, sql } = await buildOnFile(t, {}, { trustProxy })
      await app.inject({
        method: 'POST',
        url: '/auth/register',
        payload: { username: 'ada', password },
        headers: { 'x-forwarded-for': '203.0.113.9' },
      })
      t.equal((await sql.get('select ip from accounts_sessions'))!.ip, ip)
    }
  }
)

t.test('prefixes of scopes come before ours, for routes, cookies and protected scopes', async (t) => {
  const app = open(t)
  for (const prefix of ['/v1', '/v2/deep']) {
    await app.register(async (scope) => {
      await addAccounts(scope, { transport: prefix === '/v1' ? 'body' : 'cookie' })
      await addRoutes(scope)
    }, { prefix })
  }
  same(t, await tour(inject(app, '/v1')), await usualTour(t))
  const { cookies } = await app.inject({
    method: 'POST',
    url: '/v2/deep/auth/register',
    payload: { username: 'ada', password },
  })
  t.match(
    cookies.map(({ name, path }) => [name, path]),
    [
      ['__Host-access', '/'],
      ['__Secure-refresh', '/v2/deep/auth'],
      ['__Host-csrf', '/'],
    ]
  )
  t.equal((await app.inject('/auth/me')).statusCode, 404)
})
