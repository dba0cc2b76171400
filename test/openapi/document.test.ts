import { generateKeyPairSync } from 'node:crypto'
import swagger from '@fastify/swagger'
import { Type } from '@sinclair/typebox'
import { Validator } from '@seriousme/openapi-schema-validator'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import accounts, { type AccountsOptions } from '../../lib/index.ts'
import { cheap, client, secret } from '../support/build.ts'
import { documentOf, judgeOf, operationsOf, type OpenapiDocument } from '../support/documents.ts'
import { Fastify } from '../support/fastify.ts'

const fields = {
  displayName: Type.String({ default: 'Somebody' }),
  birthday: Type.Optional(Type.String({ format: 'date' })),
  plan: Type.Optional(Type.String({ readOnly: true })),
}
const info = { title: 'Test', version: '1' }

async function documented (t: Test, options: AccountsOptions = {}, openapi: object = { openapi: '3.1.0', info }) {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(swagger, { openapi })
  await app.register(accounts, { db: ':memory:', secret, password: cheap, ...options })
  app.get('/plain', async () => [1, 2])
  app.get('/guarded', { preHandler: app.authenticate }, async () => [1, null])
  app.post(
    '/refreshing',
    {
      preHandler: [app.authenticateRefresh],
      schema: {
        summary: 'Own',
        response: {
          200: { type: 'object', properties: { a: { type: 'integer' } } },
          401: { type: 'object', description: 'Own 401', properties: {} },
        },
      },
    },
    async () => ({ a: 1 })
  )
  app.get('/maybe', { preHandler: app.accounts.guard({ optional: true, type: 'any' }) }, async () => 1)
  app.get('/admins', { preHandler: app.accounts.guard({ roles: ['admin'], fresh: true, verified: true }) }, async () => 1)
  app.get(
    '/own',
    { onRequest: app.authenticate, schema: { security: [{ accessToken: [], other: [] }] } as object },
    async () => 1
  )
  await app.ready()
  return { app, ...client(app), document: () => app.swagger() as any }
}

const other = { other: { type: 'apiKey', in: 'header', name: 'x-key' } }

for (const version of ['3.0.3', '3.1.0']) {
  t.test(`the document is valid OpenAPI ${version}, and shows every route of ours`, async (t) => {
    const { document } = await documented(
      t,
      { routes: { users: true }, user: { fields } },
      { openapi: version, info, components: { securitySchemes: other } }
    )
    const found = document()
    const { valid, errors } = await new Validator().validate(found)
    t.ok(valid, JSON.stringify(errors))

    const operations = Object.entries(found.paths).flatMap(([path, methods]) =>
      Object.entries(methods as object).map(([method, { operationId, summary, tags }]) => [
        `${method} ${path}`,
        operationId,
        Boolean(summary),
        tags,
      ])
    )
    const ofOurs = ['accounts']
    t.strictSame(operations.filter(([, id]) => id), [
      ['post /auth/register', 'register', true, ofOurs],
      ['post /auth/login', 'login', true, ofOurs],
      ['post /auth/reauthenticate', 'reauthenticate', true, ofOurs],
      ['put /auth/password', 'changePassword', true, ofOurs],
      ['post /auth/refresh', 'refresh', true, ofOurs],
      ['post /auth/logout', 'logout', true, ofOurs],
      ['get /auth/sessions', 'listSessions', true, ofOurs],
      ['delete /auth/sessions', 'endSessions', true, ofOurs],
      ['delete /auth/sessions/{id}', 'endSession', true, ofOurs],
      ['get /auth/me', 'me', true, ofOurs],
      ['patch /auth/me', 'changeMe', true, ofOurs],
      ['delete /auth/me', 'closeAccount', true, ofOurs],
      ['get /auth/users', 'listUsers', true, ofOurs],
      ['get /auth/users/{id}', 'showUser', true, ofOurs],
      ['patch /auth/users/{id}', 'changeUser', true, ofOurs],
      ['delete /auth/users/{id}', 'deleteUser', true, ofOurs],
      ['get /auth/users/{id}/sessions', 'listSessionsOfUser', true, ofOurs],
      ['delete /auth/users/{id}/sessions', 'endSessionsOfUser', true, ofOurs],
      ['delete /auth/users/{id}/sessions/{sid}', 'endSessionOfUser', true, ofOurs],
      ['get /auth/me/export', 'exportAccount', true, ofOurs],
    ])
  })
}

t.test('each route names its body, its answers and the codes of its refusals', async (t) => {
  const { document } = await documented(t, {}, { openapi: '3.1.0', info, components: { securitySchemes: other } })
  const { paths } = document()
  const described = (path: string, status: number) => paths[path].post.responses[status].description

  t.match(paths['/auth/register'].post.requestBody.content['application/json'].schema, {
    required: ['username', 'password'],
    additionalProperties: false,
  })
  t.match(Object.keys(paths['/auth/register'].post.responses), ['201', '400', '409', '413', '415', '429', '503'])
  t.equal(described('/auth/register', 400), 'ACCOUNTS_INPUT_INVALID, ACCOUNTS_PASSWORD_REJECTED')
  t.equal(described('/auth/login', 401), 'ACCOUNTS_CREDENTIALS_INVALID')
  t.match(described('/auth/refresh', 401), /ACCOUNTS_REFRESH_REUSED/)
  t.notOk(paths['/auth/logout'].post.responses[204].content)
})

t.test(
  'the rules for a new password stand in its description and as lengths, and those who sign in are told none',
  async (t) => {
    const password = { ...cheap, minLength: 12, maxLength: 100, breached: {} }
    const { document, post } = await documented(
      t,
      { password },
      { openapi: '3.1.0', info, components: { securitySchemes: other } }
    )
    const { paths } = document()
    const fieldsOf = (path: string, method: string) =>
      paths[path][method].requestBody.content['application/json'].schema.properties
    for (const field of [fieldsOf('/auth/register', 'post').password, fieldsOf('/auth/password', 'put').new_password]) {
      t.match(field, {
        type: 'string',
        minLength: 12,
        maxLength: 100,
        description: /^12 to 100 characters.* No common password.* name.* data breach\.$/,
      })
    }
    for (const field of [
      fieldsOf('/auth/login', 'post').password,
      fieldsOf('/auth/reauthenticate', 'post').password,
      fieldsOf('/auth/password', 'put').current_password,
    ]) {
      const { description, ...rest } = field!
      t.same(rest, { type: 'string' })
      t.notMatch(description, /\d|common|built on|breach/)
    }
    t.same(fieldsOf('/auth/register', 'post').username, {
      type: 'string',
      maxLength: 256,
      description: '1 to 64 characters, no @.',
    })

    for (const [given, code] of [
      ['short', 'ACCOUNTS_PASSWORD_REJECTED'],
      ['x'.repeat(101), 'ACCOUNTS_PASSWORD_REJECTED'],
    ]) {
      t.match((await post('/auth/register', { username: 'ada', password: given })).json(), { statusCode: 400, code })
    }
    const plain = (
      await documented(
        t,
        { password: { ...cheap, blocklist: false } },
        { openapi: '3.0.3', info, components: { securitySchemes: other } }
      )
    ).document().paths['/auth/register'].post.requestBody.content['application/json'].schema.properties.password
    t.match(plain, { minLength: 15, maxLength: 256 })
    t.notMatch(plain.description, /common|breach/)
  }
)

t.test('a change names what may change, by whom, and asks for nothing', async (t) => {
  const { document } = await documented(
    t,
    { routes: { users: true }, user: { fields } },
    { openapi: '3.1.0', info, components: { securitySchemes: other } }
  )
  const { paths } = document()
  const bodyOf = (path: string) => paths[path].patch.requestBody.content['application/json'].schema
  t.same(Object.keys(bodyOf('/auth/me').properties), ['displayName', 'birthday'])
  t.same(Object.keys(bodyOf('/auth/users/{id}').properties), ['disabled', 'roles', 'displayName', 'birthday', 'plan'])
  for (const path of ['/auth/me', '/auth/users/{id}']) {
    t.notOk(bodyOf(path).required)
    t.notMatch(JSON.stringify(bodyOf(path)), /default|readOnly/)
  }
  t.match(paths['/auth/me'].delete.responses['401'].description, /ACCOUNTS_TOKEN_STALE/)
  t.match(paths['/auth/users'].get.responses['403'].description, /ACCOUNTS_FORBIDDEN/)
  t.match(paths['/auth/users'].get.parameters, [
    { name: 'limit', schema: { type: 'integer', default: 50 } },
    { name: 'after' },
  ])
})

t.test('a guarded route of the host says which token it asks for, and keeps what it said itself', async (t) => {
  const { document } = await documented(t, {}, { openapi: '3.1.0', info, components: { securitySchemes: other } })
  const { paths, components } = document()
  t.match(components.securitySchemes, {
    accessToken: { type: 'http', scheme: 'bearer' },
    refreshToken: { type: 'http', scheme: 'bearer' },
    ...other,
  })
  t.same(paths['/guarded'].get.security, [{ accessToken: [] }])
  t.match(paths['/guarded'].get.responses, {
    200: { description: 'Default Response' },
    401: { description: /ACCOUNTS_TOKEN_MISSING/ },
  })
  t.match(paths['/refreshing'].post, {
    summary: 'Own',
    security: [{ refreshToken: [] }],
    responses: { 401: { description: 'Own 401' }, 200: {} },
  })
  t.same(paths['/maybe'].get.security, [{ accessToken: [] }, { refreshToken: [] }, {}])
  t.match(paths['/admins'].get.responses, {
    401: { description: /ACCOUNTS_TOKEN_STALE/ },
    403: { description: 'ACCOUNTS_FORBIDDEN, ACCOUNTS_EMAIL_UNVERIFIED' },
  })
  t.notOk(paths['/guarded'].get.responses[403])
  t.same(paths['/own'].get.security, [{ accessToken: [], other: [] }])
  t.notOk(paths['/plain'].get.security)
  t.same(Object.keys(paths['/plain'].get.responses), ['200'])
})

t.test('the document changes nothing in what the routes of the host send', async (t) => {
  const { signUp, get, post } = await documented(
    t,
    {},
    { openapi: '3.1.0', info, components: { securitySchemes: other } }
  )
  const { access_token: access, refresh_token: token } = await signUp()
  t.equal((await get('/guarded', access)).body, '[1,null]')
  t.equal((await post('/refreshing', { refresh_token: token })).body, '{"a":1}')
  t.equal((await post('/refreshing')).body, '{}', "the host's own 401 schema")
})

t.test('with all our routes off, the document of the host is still made', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(swagger, { openapi: { info } })
  await app.register(accounts, {
    db: ':memory:',
    secret,
    password: cheap,
    routes: {
      register: false,
      login: false,
      refresh: false,
      logout: false,
      reauthenticate: false,
      me: false,
      sessions: false,
      password: false,
      export: false,
    },
  })
  app.get('/guarded', { preHandler: app.authenticate }, async () => 1)
  await app.register(async (scope) => {
    app.accounts.protect(scope)
    scope.get('/closed', async () => 1)
  })
  await app.ready()
  t.same(Object.keys(app.swagger().paths!), ['/guarded', '/closed'])
  t.equal((await app.inject('/closed')).statusCode, 401)
})

t.test(
  'the document says where a route looks for its token, and that a page of another origin is refused',
  async (t) => {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(swagger, { openapi: { openapi: '3.1.0', info } })
    await app.register(accounts, {
      db: ':memory:',
      secret,
      password: cheap,
      transport: 'both',
      header: { name: 'x-token', scheme: '' },
    })
    app.get('/it', { preHandler: app.authenticate }, async () => 1)
    app.post('/any', { preHandler: app.accounts.guard({ type: 'any', locations: ['query', 'cookie'] }) }, async () => 1)
    app.get(
      '/socket',
      { websocket: true, preHandler: app.accounts.guard({ type: 'any', locations: ['protocol', 'cookie'] }) } as object,
      async () => 1
    )
    app.get(
      '/sockets',
      { wsHandler: () => {}, preHandler: app.accounts.guard({ locations: ['protocol', 'cookie'] }) } as object,
      async () => 1
    )
    await app.ready()
    const {
      paths,
      components: { securitySchemes, schemas },
    } = app.swagger() as any

    t.same(paths['/it'].get.security, [{ accessToken: [] }, { accessCookie: [] }])
    t.same(paths['/socket'].get.security, [{ accessProtocol: [] }, { accessCookie: [] }, { refreshCookie: [] }])
    for (const path of ['/socket', '/sockets']) { t.match(paths[path].get.responses['403'].description, /ACCOUNTS_CSRF_FAILED/, 'a handshake needs proof') }
    t.notMatch(paths['/it'].get.responses, { 403: {} })
    t.match(securitySchemes.accessProtocol, { type: 'apiKey', in: 'header', name: 'Sec-WebSocket-Protocol' })
    t.same(paths['/any'].post.security, [
      { accessQuery: [] },
      { accessCookie: [] },
      { refreshQuery: [] },
      { refreshCookie: [] },
    ])
    t.same(paths['/auth/refresh'].post.security, [{ refreshToken: [] }, { refreshCookie: [] }, {}])
    t.match(paths['/auth/logout'].post.responses['403'].description, /ACCOUNTS_CSRF_FAILED/)
    t.match(paths['/auth/login'].post.responses['403'].description, /ACCOUNTS_CSRF_FAILED/)
    t.match(securitySchemes.accessToken, { type: 'apiKey', in: 'header', name: 'x-token' })
    t.equal(securitySchemes.accessToken.description, 'An access token.')
    const { components } = await documentOf(t, { header: { scheme: 'JWT' } })
    t.equal(components.securitySchemes.accessToken!.description, 'An access token after the word JWT.')
    t.match(securitySchemes.refreshCookie, { type: 'apiKey', in: 'cookie', name: '__Secure-refresh' })
    t.match(Object.keys(paths['/auth/login'].post.requestBody.content['application/json'].schema.properties), [
      'username',
      'password',
      'transport',
      'remember',
    ])
    const { $ref } = paths['/auth/login'].post.responses['200'].content['application/json'].schema
    const { required, properties } = schemas[$ref.split('/').at(-1)]
    t.same(required, ['token_type', 'expires_in', 'refresh_expires_in', 'user'])
    t.match(Object.keys(properties), [
      'access_token',
      'token_type',
      'expires_in',
      'refresh_token',
      'refresh_expires_in',
      'csrf_token',
      'user',
    ])
  }
)

t.test(
  'forms are said to be welcome where they are, clients of introspection have their scheme, and reading needs no proof of origin',
  async (t) => {
    const { document } = await documented(
      t,
      {
        transport: 'cookie',
        routes: { revoke: true },
        introspection: { clients: [{ id: 'shop', secret: 'x'.repeat(32) }] },
      },
      { openapi: '3.1.0', info, components: { securitySchemes: other } }
    )
    const {
      paths,
      components: { securitySchemes },
    } = document()
    for (const path of ['/auth/revoke', '/auth/introspect']) {
      t.match(Object.keys(paths[path].post.requestBody.content), [
        'application/x-www-form-urlencoded',
        'application/json',
      ])
    }
    t.same(paths['/auth/introspect'].post.security, [{ client: [] }, {}])
    t.match(securitySchemes.client, { type: 'http', scheme: 'basic' })
    t.notOk(paths['/auth/me'].get.responses['403'])
    t.notOk(paths['/guarded'].get.responses['403'])
    t.ok(paths['/refreshing'].post.responses['403'])
    t.ok(paths['/auth/password'].put.responses['403'])
    const listed = (
      await documented(
        t,
        { transport: 'cookie', csrf: { methods: ['GET'] } },
        { openapi: '3.1.0', info, components: { securitySchemes: other } }
      )
    ).document().paths
    t.match(
      listed['/guarded'].get.responses['403'].description,
      /ACCOUNTS_CSRF_FAILED/,
      'unless the app has a list of its own for its routes'
    )
    t.notOk(listed['/refreshing'].post.responses['403'])
    t.notOk(listed['/auth/me'].get.responses['403'])
    t.ok(listed['/auth/password'].put.responses['403'])
    const { valid, errors } = await new Validator().validate(document())
    t.ok(valid, JSON.stringify(errors))
  }
)

/** Everything that there is. */
const everything: AccountsOptions = {
  secret: { private: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey },
  transport: 'both',
  routes: { users: true, revoke: true },
  introspection: { clients: [{ id: 'shop', secret: 'x'.repeat(32) }] },
  user: { fields },
}

for (const version of ['3.0.3', '3.1.0']) {
  t.test(
    `users, sessions, tokens and errors have names in a document of OpenAPI ${version}, and two kinds of users fit into one`,
    async (t) => {
      const add = (app: FastifyInstance) =>
        app.register(accounts, { ...everything, db: ':memory:', name: 'admins', prefix: '/admin' })
      const document = await documentOf(t, everything, { openapi: version }, add)
      const {
        components: { schemas },
        paths,
      } = document
      const names = ['Error', 'TokenResponse', 'User', 'Session', 'AdminUser', 'Jwk']
      t.strictSame(Object.keys(schemas), [...names, ...names.map((name) => `admins${name}`)])
      t.strictSame(schemas.TokenResponse!.properties.user, { $ref: '#/components/schemas/User' })
      t.strictSame(paths['/auth/me']!.get!.responses[200]!.content!['application/json']!.schema, {
        $ref: '#/components/schemas/User',
      })
      t.strictSame(
        paths['/admin/sessions']!.get!.responses[200]!.content!['application/json']!.schema.properties.sessions.items,
        { $ref: '#/components/schemas/adminsSession' }
      )
      t.match(
        schemas.User!.properties.username,
        version === '3.0.3'
          ? { type: 'string', nullable: true, example: 'ada' }
          : { anyOf: [{ type: 'string' }, { type: 'null' }], examples: ['ada'] }
      )
      t.strictSame(schemas.TokenResponse!.properties.token_type.enum, ['Bearer'])
      const { valid, errors } = await new Validator().validate(document)
      t.ok(valid, JSON.stringify(errors))
    }
  )

  t.test(`fields of the host are components of OpenAPI ${version} whatever they are made of`, async (t) => {
    const Tree = Type.Recursive((Self) => Type.Object({ name: Type.String(), parts: Type.Array(Self) }), {
      $id: 'https://app.example/Tree',
    })
    const odd = {
      tree: Type.Optional(Tree),
      counts: Type.Record(Type.String(), Type.Integer()),
      nick: Type.Unsafe({ type: ['string', 'null'], examples: ['Ada'] }),
      size: Type.Unsafe({ type: ['string', 'integer'] }),
      plan: Type.Union([Type.Literal('free'), Type.Literal('paid'), Type.Null()]),
      properties: Type.Optional(Type.Object({ const: Type.Literal(1) })),
      either: Type.Unsafe({ type: 'object', anyOf: [{ required: ['a'] }, { required: ['b'] }] }),
      any: Type.Unsafe({ default: { const: 1 } }),
    }
    const document = await documentOf(t, { user: { fields: odd } }, { openapi: version })
    const { components: { schemas } } = document
    const { properties } = schemas.User!
    const is30 = version === '3.0.3'
    t.strictSame(properties.tree, { $ref: '#/components/schemas/https___app.example_Tree' })
    t.strictSame(schemas['https___app.example_Tree']!.properties.parts.items, properties.tree)
    t.strictSame(properties.counts.additionalProperties, { type: 'integer' })
    t.strictSame(
      properties.nick,
      is30 ? { type: 'string', nullable: true, example: 'Ada' } : { type: ['string', 'null'], examples: ['Ada'] }
    )
    t.strictSame(
      properties.size,
      is30 ? { anyOf: [{ type: 'string' }, { type: 'integer' }] } : { type: ['string', 'integer'] }
    )
    t.strictSame(
      properties.plan.anyOf.at(-1),
      is30 ? { type: 'object', nullable: true, enum: [null] } : { type: 'null' }
    )
    t.strictSame(properties.properties.properties.const.enum, [1])
    t.strictSame(properties.either, { type: 'object', anyOf: [{ required: ['a'] }, { required: ['b'] }] })
    const { user } = document.paths['/auth/login']!.post!.responses[200]!.content!['application/json']!.example
    t.strictSame(
      Object.keys(user),
      ['id', 'username', 'email', 'email_verified', 'roles', 'nick', 'properties'],
      'what has no example, and may be left out, is'
    )
    const { valid, errors } = await new Validator().validate(document)
    t.ok(valid, JSON.stringify(errors))
  })
}

t.test('every example is right by its schema, and those of errors are what the app would say', async (t) => {
  for (const transport of ['body', 'cookie', 'both'] as const) {
    const options: AccountsOptions = {
      ...everything,
      transport,
      mail: true,
      closing: { grace: '30d' },
      password: { ...cheap, minLength: 9 },
      messages: { ACCOUNTS_TOKEN_EXPIRED: 'Zu spät', ACCOUNTS_TOKEN_INVALID: () => 'asked for each request' },
    }
    const document = await documentOf(t, options, {}, (app) => {
      app.get('/guarded', { preHandler: app.authenticate }, async () => 1)
    })
    const judge = judgeOf(document)
    const texts: Record<string, string> = {}
    let count = 0
    for (const [name, { responses }] of operationsOf(document)) {
      for (const [status, { content = {} }] of Object.entries(responses)) {
        for (const { schema, example, examples = {} } of Object.values(content)) {
          if (name !== 'GET /guarded' || status !== '200') { t.ok(example || Object.keys(examples).length > 0, `${name} ${status} has an example`) }
          for (const value of [...example ? [example] : [], ...Object.values(examples).map(({ value }) => value)]) {
            count++
            const fault = judge(schema, value)
            if (fault) t.fail(`${name} ${status}: ${fault}`)
            if (value.code) texts[value.code] = value.message
          }
        }
      }
    }
    t.ok(count > 100, `${count}`)
    t.notMatch(Object.values(texts).join(), /%s|undefined/)
    t.match(texts, {
      ACCOUNTS_TOKEN_EXPIRED: 'Zu spät',
      ACCOUNTS_TOKEN_INVALID: 'The token is not valid',
      ACCOUNTS_PASSWORD_REJECTED: 'The password must have at least 9 characters',
      ACCOUNTS_CLOSING: 'The account is scheduled for deletion',
    })
    t.equal(
      'access_token' in document.paths['/auth/login']!.post!.responses[200]!.content!['application/json']!.example,
      transport !== 'cookie'
    )
  }
})

t.test(
  'every operation says what it is for, where it stands and what each parameter and each field means',
  async (t) => {
    const document = await documentOf(t, { ...everything, user: {} })
    const operations = operationsOf(document)
    const tags = document.tags!.map(({ name }) => name)
    const ids = operations.map(([, { operationId }]) => operationId!)
    t.equal(new Set(ids).size, ids.length)
    for (const [name, { operationId, summary, tags: own, security, parameters = [], requestBody }] of operations) {
      t.match(operationId, /^[a-z][a-zA-Z]+$/, name)
      t.ok(summary && security && own!.every((tag) => tags.includes(tag)), name)
      for (const parameter of parameters) t.ok(parameter.description, `${name} ${parameter.name}`)
      for (const { schema } of Object.values(requestBody?.content ?? {})) {
        // New passwords are called so, and roles are what they are in a user.
        for (const [field, part] of Object.entries<any>(schema.properties)) { t.ok(part.description || field === 'roles', `${name} ${field}`) }
      }
    }
    for (const [name, { properties }] of Object.entries(document.components.schemas)) {
      for (const [field, part] of Object.entries<any>(properties)) { t.ok(part.description || part.$ref || part.enum?.length === 1, `${name}.${field}`) }
    }
  }
)

t.test(
  'cookies, challenges and the type of keys stand in the document, and open routes are said to be open',
  async (t) => {
    const { paths } = await documentOf(t, { ...everything, transport: 'cookie' }, { security: [{ accessCookie: [] }] })
    for (const [path, method, status] of [
      ['login', 'post', 200],
      ['register', 'post', 201],
      ['refresh', 'post', 200],
      ['logout', 'post', 204],
      ['password', 'put', 200],
      ['me', 'delete', 204],
      ['sessions/{id}', 'delete', 204],
    ] as const) {
      t.ok(paths[`/auth/${path}`]![method]!.responses[status]!.headers!['set-cookie'], path)
    }
    const operations = operationsOf({ paths } as OpenapiDocument)
    for (const [, { responses }] of operations) if (responses[401]) t.ok(responses[401].headers!['www-authenticate'])
    const takingBack = operations
      .filter(([, { responses }]) => responses[401]?.headers?.['set-cookie'])
      .map(([, { operationId }]) => operationId)
    t.strictSame(takingBack, ['refresh', 'logout'])
    t.notOk(
      Object.hasOwn(paths['/auth/refresh']!.post!.responses[401]!.content!['application/json']!.schema, 'headers')
    )
    t.notOk(paths['/auth/login']!.post!.responses[400]!.headers)
    t.strictSame(Object.keys(paths['/auth/jwks.json']!.get!.responses[200]!.content!), ['application/jwk-set+json'])
    t.strictSame(
      ['register', 'login'].map((path) => paths[`/auth/${path}`]!.post!.security),
      [[], []]
    )
    const { paths: plain } = await documentOf(t)
    t.notOk(plain['/auth/login']!.post!.responses[200]!.headers)
    t.strictSame(Object.keys(plain['/auth/logout']!.post!.responses[401]!.headers!), ['www-authenticate'])
  }
)

t.test('a host that has components and tags of these names keeps them', async (t) => {
  const own = { User: { type: 'string' }, Error: { type: 'boolean' }, AccountsError: { type: 'number' } }
  const openapi = { tags: [{ name: 'accounts', description: 'Own' }], components: { schemas: own } }
  const { tags, paths, components: { schemas } } = await documentOf(t, {}, openapi, async (app) => {
    app.get('/guarded', { preHandler: app.authenticate }, async () => 1)
    await app.register(async (scope) => {
      app.accounts.protect(scope, { roles: ['admin'] })
      scope.get('/closed', async () => 1)
    })
  })
  t.match(schemas, own)
  t.strictSame(Object.keys(schemas), [
    'User',
    'Error',
    'AccountsError',
    'AccountsAccountsError',
    'TokenResponse',
    'AccountsUser',
    'Session',
  ])
  t.strictSame(schemas.TokenResponse!.properties.user, { $ref: '#/components/schemas/AccountsUser' })
  for (const [path, status] of [['/guarded', 401], ['/closed', 401], ['/closed', 403]] as const) {
    t.strictSame(paths[path]!.get!.responses[status]!.content!['application/json']!.schema, {
      $ref: '#/components/schemas/AccountsAccountsError',
    })
  }
  t.strictSame(tags, openapi.tags)
})

t.test('only schemes that are asked for are declared, also where the host itself asks', async (t) => {
  const schemesOf = async (add: (app: FastifyInstance) => unknown) =>
    Object.keys((await documentOf(t, {}, {}, add)).components.securitySchemes)
  t.strictSame(await schemesOf(() => {}), ['accessToken', 'refreshToken'])
  t.strictSame(
    await schemesOf((app) => app.get('/', { preHandler: app.accounts.guard({ locations: ['query'] }) }, async () => 1)),
    ['accessToken', 'accessQuery', 'refreshToken']
  )
  t.strictSame(
    await schemesOf((app) => app.get('/', { schema: { security: [{ refreshCookie: [] }] } as object }, async () => 1)),
    ['accessToken', 'refreshToken', 'refreshCookie']
  )
})

t.test('a document of Swagger 2, which has no words for this, is refused', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(swagger)
  await app.register(accounts, { db: ':memory:', secret, password: cheap })
  await app.ready()
  t.throws(() => app.swagger(), { code: 'ACCOUNTS_OPTIONS_INVALID', message: /openapi/ })
})
