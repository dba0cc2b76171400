import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import Fastify from 'fastify'
import t from 'tap'
import accounts from '../../lib/index.ts'
import { build, cheap, secret } from '../build.ts'

const options = { db: ':memory:', secret, password: cheap }
const handler = async () => 'secret'

for (const hook of ['onRequest', 'preValidation', 'preHandler'] as const) {
  t.test(`a route whose ${hook} is undefined is refused where it is added`, async (t) => {
    const { app } = await build(t)
    t.throws(() => app.get('/x', { [hook]: undefined } as object, handler), { code: 'ACCOUNTS_OPTIONS_INVALID', message: new RegExp(`GET /x has ${hook}: undefined`) })
    t.throws(() => app.post('/x', { [hook]: [undefined] } as object, handler))
    t.doesNotThrow(() => app.get('/x', { [hook]: app.authenticate }, handler).get('/y', handler))
  })
}

t.test('a guard taken from an app that does not have it yet keeps the app from starting', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.register(accounts, options)
  app.get('/secret', { preHandler: app.authenticate }, handler)
  await t.rejects(async () => { await app.ready() }, { code: 'ACCOUNTS_OPTIONS_INVALID', message: /GET \/secret has preHandler: undefined.*await app\.register/ })
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
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, '..', 'late-import.ts')])
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
  await t.rejects(async () => { await app.register(accounts, options) }, { code: 'ACCOUNTS_OPTIONS_INVALID', message: /accounts named accounts already: register the plugin once/ })

  const taken = Fastify()
  t.teardown(() => taken.close())
  taken.decorateRequest('auth', null as never)
  await t.rejects(async () => { await taken.register(accounts, options) }, { code: 'ACCOUNTS_OPTIONS_INVALID', message: /request\.auth/ })
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
  t.throws(() => app.post('/x', { onRequest: app.authenticateRefresh }, handler), { code: 'ACCOUNTS_OPTIONS_INVALID', message: /POST \/x has authenticateRefresh in onRequest/ })
  t.doesNotThrow(() => app.post('/x', { preValidation: app.authenticateRefresh, onRequest: app.authenticate }, handler))
  t.doesNotThrow(() => app.post('/y', { onRequest: async () => {} }, handler), 'a hook of the app is its own business')
})
