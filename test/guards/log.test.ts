// On each database.
import type { FastifyServerOptions } from 'fastify'
import t, { type Test } from 'tap'
import type { AccountsOptions, TokenResponse } from '../../lib/index.ts'
import { build, password } from '../support/build.ts'
import { Fastify } from '../support/fastify.ts'

const handler = async () => 'done'
const inQuery: AccountsOptions = { locations: ['header', 'query'] }

/** A stream for pino, and what it was given. */
function sink () {
  const lines: string[] = []
  return { lines, stream: { write: (line: string) => { lines.push(line) } } }
}

/** An app that takes tokens from queries, with the lines of its log. */
async function logging (
  t: Test,
  log: (stream: ReturnType<typeof sink>['stream']) => FastifyServerOptions,
  options: AccountsOptions = inQuery
) {
  const { lines, stream } = sink()
  const { app, signUp, ...rest } = await build(t, options, log(stream))
  return { app, lines, signUp, ...rest }
}

/** No part of a token that would be of use to a reader. */
function areHidden (
  t: Test,
  lines: string[],
  { access_token: access, refresh_token: refresh }: TokenResponse,
  label: string
) {
  for (const token of [access, refresh]) {
    const [, payload, signature] = token.split('.') as [string, string, string]
    for (const part of [payload, signature]) {
      t.notOk(
        lines.some((line) => line.includes(part)),
        label
      )
    }
  }
}

const url = ({ access_token: access }: TokenResponse, more = '') => `/guarded?access_token=${access}${more}`

const loggers: [name: string, log: (stream: ReturnType<typeof sink>['stream']) => FastifyServerOptions][] = [
  ['the usual one', (stream) => ({ logger: { level: 'trace', stream } })],
  ['a pino of the host', (stream) => ({ loggerInstance: Fastify({ logger: { level: 'trace', stream } }).log })],
  [
    'a serializer of the host that shows everything',
    (stream) => ({
      logger: {
        level: 'trace',
        stream,
        serializers: { req: ({ method, url, query, headers }) => ({ method, url, query, headers }) as never },
      },
    }),
  ],
  [
    'a serializer of the host that gives a text',
    (stream) => ({
      logger: { level: 'trace', stream, serializers: { req: ({ method, url }) => `${method} ${url}` as never } },
    }),
  ],
  [
    'a serializer of the host that nests',
    (stream) => ({
      logger: { level: 'trace', stream, serializers: { req: ({ url }) => ({ http: { urls: [url] } }) as never } },
    }),
  ],
  [
    'serializers of a pino of the host',
    (stream) => ({
      loggerInstance: Fastify({
        logger: { level: 'trace', stream, serializers: { req: ({ url }) => ({ path: url }) as never } },
      }).log,
    }),
  ],
]

for (const [name, log] of loggers) {
  t.test(`a token in a query is not in the log of an app with ${name}`, async (t) => {
    const { app, lines, signUp } = await logging(t, log)
    const tokens = await signUp()
    lines.length = 0

    t.equal((await app.inject(url(tokens))).statusCode, 200)
    t.ok(lines.some((line) => line.includes('incoming request') && line.includes('guarded')), 'the line is there')
    t.ok(lines.some((line) => line.includes('request completed')))
    t.equal((await app.inject(url(tokens, '&page=2'))).statusCode, 200)
    t.equal((await app.inject({ method: 'HEAD', url: url(tokens) })).statusCode, 200)
    t.equal((await app.inject(url(tokens, 'x'))).statusCode, 401)
    t.equal(
      (await app.inject({ method: 'POST', url: `/with-refresh?refresh_token=${tokens.refresh_token}` })).statusCode,
      200
    )
    areHidden(t, lines, tokens, name)
    t.ok(lines.join('').includes('page=2'), 'what else the query says stays')
  })
}

for (const [name, log] of loggers) {
  t.test(`a token among subprotocols is not in the log of an app with ${name}`, async (t) => {
    const { app, lines, signUp } = await logging(t, log, { locations: ['header', 'protocol'] })
    const tokens = await signUp()
    lines.length = 0
    const send = async (protocols: string) =>
      (await app.inject({ url: '/guarded', headers: { 'sec-websocket-protocol': protocols } })).statusCode
    const token = `access_token.${tokens.access_token}`
    t.same([await send(`chat, ${token}`), await send(`chat,${token},superchat`)], [200, 200])
    t.same(
      [
        await send(token),
        await send(`chat, ${token}, ${token}`),
        await send(`chat, Access_Token.${tokens.access_token}`),
        await send(`chat, access_token.${tokens.refresh_token}`),
      ],
      [400, 400, 401, 401]
    )
    areHidden(t, lines, tokens, name)
    t.ok(lines.some((line) => line.includes('incoming request')), 'the line is there')
    t.equal(
      lines.some((line) => line.includes('chat, access_token.[hidden]')),
      name.endsWith('everything'),
      'where headers are shown, what else they say stays'
    )
  })
}

t.test('a token is hidden however its name and its place are written', async (t) => {
  const { app, lines, signUp } = await logging(t, (stream) => ({ logger: { level: 'trace', stream } }))
  const tokens = await signUp()
  const { access_token: access } = tokens
  lines.length = 0
  const found = [
    `?access_token=${access}#there`,
    `?a=b&access_token=${access}&c=d`,
    `?access%5Ftoken=${access}`,
    `?%61ccess_token=${access}`,
    `?%E0%A4%A=1&access_token=${access}`,
    `?access_token=${access}&refresh_token=${tokens.refresh_token}`,
  ]
  for (const query of found) t.equal((await app.inject(`/guarded${query}`)).statusCode, 200, query.slice(0, 20))
  areHidden(t, lines, tokens, 'found')
  t.ok(lines.some((line) => line.includes('a=b&access_token=[hidden]&c=d')))

  lines.length = 0
  for (const query of [
    `?access_token=${access}&access_token=${access}`,
    `?ACCESS_TOKEN=${access}`,
    `?refresh_token=${access}`,
  ]) {
    t.ok((await app.inject(`/guarded${query}`)).statusCode >= 400)
  }
  areHidden(t, lines, tokens, 'refused')
})

t.test('only what has the name of a token is hidden', async (t) => {
  const { app, lines } = await logging(t, (stream) => ({ logger: { stream } }))
  const hidden = [
    'access_token',
    'Refresh_Token',
    'access_token[]',
    'access_token[a]',
    'access%5Ftoken',
    'access_token[%',
  ]
  const shown = ['my_access_token', 'access_tokens', 'token', 'access', '%E0%A4%A']
  for (const name of [...hidden, ...shown]) {
    lines.length = 0
    await app.inject(`/guarded?${name}=what-it-says`)
    t.equal(lines.join().includes('what-it-says'), shown.includes(name), name)
    t.equal(lines.join().includes(`?${name}=[hidden]`), hidden.includes(name), name)
  }
})

t.test('a serializer of the host shows what it wants, and in its own form', async (t) => {
  const cycle: { urls: unknown[], self?: unknown } = { urls: [] }
  cycle.self = cycle
  cycle.urls.push(cycle.urls)
  const req = ({ url, query }: { url: string; query: object }) => ({
    query,
    urls: [url],
    a: { a: { a: { a: { a: { url } } } } },
    cycle,
  })
  const { app, lines } = await logging(t, (stream) => ({
    logger: { stream, depthLimit: 9, serializers: { req: req as never } },
  }))
  await app.inject('/guarded?access_token=not-a-token-of-ours&page=2')
  const shown = lines.map((line) => JSON.parse(line).req).find(Boolean)
  const url = '/guarded?access_token=[hidden]&page=2'
  t.same(shown.query, { access_token: '[hidden]', page: '2' })
  t.strictSame([shown.urls, shown.a.a.a.a.a], [[url], { url }])
})

t.test('a guard, and a protected scope, may look at the query by itself, and the log is the same', async (t) => {
  const { app, lines, signUp } = await logging(t, (stream) => ({ logger: { level: 'trace', stream } }), {})
  app.get('/download', { onRequest: app.accounts.guard({ locations: ['query'] }) }, handler)
  app.get(
    '/own',
    {
      onRequest: app.accounts.guard({ locations: ['query'] }),
      logSerializers: { req: ({ url }) => ({ theirs: url }), page: () => 'kept' },
    },
    async ({ log }) => {
      log.info({ page: 1 }, 'a line of the handler')
    }
  )
  await app.register(async (scope) => {
    app.accounts.protect(scope, { locations: ['query'] })
    scope.get('/file', handler)
    scope.get('/free', { config: { auth: false } }, handler)
    scope.get('/failing', async () => { throw new Error('of the handler') })
  }, { prefix: '/scope' })
  const tokens = await signUp()
  lines.length = 0

  for (const [path, status] of [
    ['/download', 200],
    ['/own', 200],
    ['/scope/file', 200],
    ['/scope/failing', 500],
  ] as const) {
    t.equal((await app.inject(`${path}?access_token=${tokens.access_token}`)).statusCode, status, path)
    t.equal(
      (await app.inject({ url: path, headers: { authorization: `Bearer ${tokens.access_token}` } })).statusCode,
      401,
      'only there'
    )
  }
  areHidden(t, lines, tokens, 'every line')
  t.ok(
    lines.some((line) => line.includes('"theirs":"/own?access_token=[hidden]"')),
    'a serializer of the route still writes the line'
  )
  t.ok(lines.some((line) => line.includes('"page":"kept"')))

  await app.inject('/scope/free?access_token=not-a-token-of-ours')
  t.ok(lines.some((line) => line.includes('not-a-token-of-ours')), 'a route without a guard is none of our business')
  await app.inject('/guarded?access_token=in-the-wrong-place')
  t.ok(lines.some((line) => line.includes('in-the-wrong-place')), 'nor is one whose guard does not look there')
})

t.test('a logger that serializes nothing gets what it always got', async (t) => {
  const calls: unknown[][] = []
  const given: unknown[] = []
  const log = (...words: unknown[]) => { calls.push(words) }
  const loggerInstance = {
    info: log,
    error: log,
    debug: log,
    fatal: log,
    warn: log,
    trace: log,
    silent: log,
    level: 'info',
    child (_: unknown, options: unknown) {
      given.push(options)
      return loggerInstance
    },
  }
  const { app, signUp } = await build(t, inQuery, { loggerInstance: loggerInstance as never })
  given.length = 0
  const tokens = await signUp()
  t.equal((await app.inject(url(tokens))).statusCode, 200)
  t.ok(calls.some(([, message]) => message === 'incoming request'))
  t.strictSame(
    given.filter((options) => (options as { serializers?: object } | undefined)?.serializers),
    [],
    'and no serializer'
  )

  const silent = await build(t, inQuery)
  t.equal((await silent.app.inject(url(await silent.signUp()))).statusCode, 200, 'nor does an app without a log mind')
})

t.test('a serializer of the host may give nothing at all', async (t) => {
  for (const nothing of [undefined, null, 7]) {
    const { app, lines, signUp } = await logging(t, (stream) => ({
      logger: { stream, serializers: { req: () => nothing as never } },
    }))
    t.equal((await app.inject(url(await signUp()))).statusCode, 200)
    t.ok(lines.some((line) => line.includes('incoming request')))
  }
})

t.test('a guard for refresh tokens where the cookie is never sent is told to the log', async (t) => {
  const { app, lines } = await logging(t, (stream) => ({ logger: { level: 'warn', stream } }), { transport: 'cookie' })
  const warnings = () => lines.splice(0).map((line) => JSON.parse(line).msg as string)
  t.match(warnings(), [
    'POST /with-refresh asks for a refresh token, but the cookie that holds it is sent to /auth alone: see cookies.refresh.path',
  ])

  const refresh = app.authenticateRefresh
  for (const path of ['/renew', '/authors', '/', '/api/auth/renew']) {
    app.post(path, { preHandler: refresh }, handler)
    t.match(warnings(), [new RegExp(`POST ${path} asks for a refresh token`)], path)
  }
  app.get('/renewed', { preHandler: refresh }, handler)
  t.strictSame(warnings().map((line) => line.split(' asks')[0]), ['GET /renewed'], 'of its HEAD it says nothing')
  for (const path of ['/auth/renew', '/auth', '/auth/']) app.post(path, { preHandler: refresh }, handler)
  app.post(
    '/elsewhere',
    { preHandler: app.accounts.guard({ type: 'refresh', locations: ['body', 'header'] }) },
    handler
  )
  app.post('/access', { preHandler: app.authenticate }, handler)
  app.post('/any', { preHandler: app.accounts.guard({ type: 'any' }) }, handler)
  t.same(warnings(), [], 'it is sent there, or is not needed')

  await app.register(async (scope) => {
    app.accounts.protect(scope, { type: 'refresh' })
    scope.post('/scoped', handler)
  })
  t.match(warnings(), [/POST \/scoped asks for a refresh token/])
})

t.test('no such word where there are no cookies, or where they are sent everywhere', async (t) => {
  for (const options of [
    {},
    { transport: 'cookie', cookies: { refresh: { path: '/' } } },
  ] satisfies AccountsOptions[]) {
    const { app, lines, post } = await logging(t, (stream) => ({ logger: { level: 'warn', stream } }), options)
    app.post('/renew', { preHandler: app.authenticateRefresh }, handler)
    t.equal((await post('/auth/register', { username: 'ada', password })).statusCode, 201)
    t.same(lines, [])
  }
})
