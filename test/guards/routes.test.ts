// On each database.
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { FastifyPluginAsync } from 'fastify'
import t, { type Test } from 'tap'
import accounts from '../../lib/index.ts'
import { build, cheap, secret } from '../support/build.ts'
import { Fastify } from '../support/fastify.ts'

const options = { db: ':memory:', secret, password: cheap }
const handler = async () => 'secret'

for (const hook of ['onRequest', 'preValidation', 'preHandler'] as const) {
  t.test(`a route whose ${hook} is undefined is refused where it is added`, async (t) => {
    const { app } = await build(t)
    t.throws(() => app.get('/x', { [hook]: undefined } as object, handler), {
      code: 'ACCOUNTS_OPTIONS_INVALID',
      message: new RegExp(`GET /x has ${hook}: undefined`),
    })
    t.throws(() => app.post('/x', { [hook]: [undefined] } as object, handler))
    t.doesNotThrow(() => app.get('/x', { [hook]: app.authenticate }, handler).get('/y', handler))
  })
}

/** A package that writes a route with the hooks that it is given, as some do. */
async function packageThat (
  t: Test,
  writes: string
): Promise<FastifyPluginAsync<Partial<Record<'preHandler' | 'onRequest', unknown>>>> {
  const folder = t.testdir({
    node_modules: { 'a-package': { 'index.js': `module.exports = async (app, options) => { ${writes} }` } },
  })
  return createRequire(join(folder, 'app.js'))('a-package')
}

const proxies =
  "app.get('/proxied', { preHandler: options.preHandler }, async () => 'open'); app.post('/proxied', { onRequest: options.onRequest }, async () => 'open')"

t.test('a package may write hooks that are undefined once there are guards, and the log says so once', async (t) => {
  const plugin = await packageThat(t, proxies)
  const lines: string[] = []
  const { app } = await build(t, {}, { logger: { level: 'warn', stream: { write: (line) => { lines.push(line) } } } })
  await app.register(plugin, { prefix: '/one' })
  await app.register(async (scope) => {
    app.accounts.protect(scope)
    await scope.register(plugin, { prefix: '/two' })
  })
  await app.register(plugin, { prefix: '/three', preHandler: app.authenticate, onRequest: app.authenticate })
  await app.ready()
  t.strictSame(
    lines.map((line) => JSON.parse(line).msg.split(':')[1]),
    [
      ' GET /one/proxied (preHandler), POST /one/proxied (onRequest). If a guard was meant for one, it is open to everybody',
    ]
  )
  t.equal((await app.inject('/one/proxied')).body, 'open')
  t.equal((await app.inject('/two/proxied')).statusCode, 401)
  t.equal((await app.inject('/three/proxied')).statusCode, 401)
})

t.test('before there are guards it may not, since that can be a forgotten await', async (t) => {
  const plugin = await packageThat(t, proxies)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(plugin)
  await t.rejects(
    async () => {
      await app.register(accounts, options)
    },
    {
      code: 'ACCOUNTS_OPTIONS_INVALID',
      message:
        /GET \/proxied has preHandler: undefined.*await app\.register\(accounts\)" before it.*a function that does nothing/,
    }
  )

  const booting = Fastify()
  t.teardown(() => booting.close())
  let refusal: unknown
  const orm = async () => {
    refusal = await plugin(booting, {}).then(() => undefined, (error) => error)
    throw new Error('No database')
  }
  await t.rejects(
    async () => {
      await booting.register(accounts, { secret, password: cheap, orm })
    },
    { message: 'No database' }
  )
  t.match(refusal, { code: 'ACCOUNTS_OPTIONS_INVALID' }, 'nor while the accounts are on their way')
})

t.test(
  'a route of the app itself is refused for such a hook, beside another guard too, however it is written',
  async (t) => {
    const { app } = await build(t)
    const misspelt = {
      onRequest: app.authenticate,
      preHandler: (app as unknown as Record<string, undefined>)['authentcate'],
    } as object
    const refused = { code: 'ACCOUNTS_OPTIONS_INVALID', message: /GET \/mine has preHandler: undefined/ }
    t.throws(() => app.get('/mine', misspelt, handler), refused)
    t.throws(() => ['/mine'].forEach((url) => app.get(url, misspelt, handler)), refused)
    t.throws(() => Reflect.apply(app.get, app, ['/mine', misspelt, handler]), refused)
    await t.rejects(async () => {
      await app.register(async (scope) => {
        scope.get('/mine', misspelt, handler)
      })
    }, refused)
  }
)

t.test('nothing that an app sets about stacks makes its own route one of a package', async (t) => {
  const { stackTraceLimit, prepareStackTrace } = Error
  t.teardown(() => { Object.assign(Error, { stackTraceLimit, prepareStackTrace }) })
  Object.assign(Error, { stackTraceLimit: 0, prepareStackTrace: () => '/node_modules/a-package/index.js' })
  const { app } = await build(t)
  t.throws(() => app.get('/mine', { preHandler: undefined } as object, handler), { code: 'ACCOUNTS_OPTIONS_INVALID' })
})

t.test('a call that comes from nowhere counts as the app itself', async (t) => {
  const { app } = await build(t)
  const add = (app.get as (...parts: unknown[]) => unknown).bind(app, '/mine', { preHandler: undefined }, handler)
  await t.rejects(Promise.resolve().then(add), { code: 'ACCOUNTS_OPTIONS_INVALID' })
})

t.test('a guard taken from an app that does not have it yet keeps the app from starting', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.register(accounts, options)
  app.get('/secret', { preHandler: app.authenticate }, handler)
  await t.rejects(
    async () => {
      await app.ready()
    },
    { code: 'ACCOUNTS_OPTIONS_INVALID', message: /GET \/secret has preHandler: undefined.*await app\.register/ }
  )
})

t.test('so does one in a scope, before the plugin or inside it', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.register(async (scope) => {
    scope.register(accounts, options)
    scope.route({ method: ['GET', 'POST'], url: '/secret', preHandler: scope.authenticate, handler })
  })
  await t.rejects(async () => { await app.ready() }, { message: /GET,POST \/secret has preHandler: undefined/ })
})

t.test('an app that was made before the plugin was imported is watched from its registration on', async (t) => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    join(import.meta.dirname, '..', 'support', 'late-import.ts'),
  ])
  t.equal(stdout, '401 ACCOUNTS_OPTIONS_INVALID\n')
})

t.test('a route is named once, though Fastify adds a HEAD to every GET', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.register(accounts, options)
  app.get('/one', { preHandler: app.authenticate }, handler).get('/two', { onRequest: app.authenticate }, handler)
  const error = await app.ready().then(() => undefined, (error) => error)
  t.same(error.message.match(/\w+ \/\w+/g), ['GET /one', 'GET /two'])
})

t.test('the plugin is registered once, and takes no place that another has', async (t) => {
  const { app } = await build(t)
  await t.rejects(
    async () => {
      await app.register(accounts, options)
    },
    { code: 'ACCOUNTS_OPTIONS_INVALID', message: /accounts named accounts already: register the plugin once/ }
  )

  const taken = Fastify()
  t.teardown(() => taken.close())
  taken.decorateRequest('auth', null as never)
  await t.rejects(
    async () => {
      await taken.register(accounts, options)
    },
    { code: 'ACCOUNTS_OPTIONS_INVALID', message: /request\.auth/ }
  )
})

t.test('routes that are open on purpose may come before the plugin', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.get('/health', handler)
  await app.register(accounts, options)
  t.equal((await app.inject('/health')).statusCode, 200)
})

t.test('authenticateRefresh in onRequest is refused: there is no body yet', async (t) => {
  const { app } = await build(t)
  t.throws(() => app.post('/x', { onRequest: app.authenticateRefresh }, handler), {
    code: 'ACCOUNTS_OPTIONS_INVALID',
    message: /POST \/x has authenticateRefresh in onRequest/,
  })
  t.doesNotThrow(() => app.post('/x', { preValidation: app.authenticateRefresh, onRequest: app.authenticate }, handler))
  t.doesNotThrow(() => app.post('/y', { onRequest: async () => {} }, handler), 'a hook of the app is its own business')
})
