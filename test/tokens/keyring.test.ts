import jwt from '@fastify/jwt'
import Fastify from 'fastify'
import t from 'tap'
import accounts from '../../lib/index.ts'
import { bearer, cheap, client, secret } from '../build.ts'

const options = { db: ':memory:', secret, password: cheap }

t.test("a host's own @fastify/jwt works beside ours, and gets none of our keys", async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(jwt, { secret: 'the key of the host' })
  await app.register(accounts, options)
  app.get('/guarded', { preHandler: app.authenticate }, async ({ user }) => user)
  app.get('/own', { preHandler: async (request) => { await request.jwtVerify() } }, async ({ user }) => user)
  const { access_token: token } = await client(app).signUp()

  const own = app.jwt.sign({ own: true })
  const answers = async (text: string) => Promise.all(['/guarded', '/own'].map(async (url) => (await app.inject({ url, headers: bearer(text) })).statusCode))
  t.same(await answers(token), [200, 401])
  t.same(await answers(own), [401, 200])
  t.same(Object.keys(app.jwt).filter((name) => name.startsWith('accounts')), [])
})

t.test('two scopes may each have accounts of their own, though the host has a jwt', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(jwt, { secret: 'the key of the host' })
  for (const [prefix, key] of [['/a', secret], ['/b', secret.toLowerCase()]] as const) {
    await app.register(async (scope) => {
      await scope.register(accounts, { ...options, secret: key, prefix: '/auth' })
      scope.get('/guarded', { preHandler: scope.authenticate }, async ({ user }) => user)
    }, { prefix })
  }
  const payload = { username: 'ada', password: 'correct horse battery staple' }
  const { access_token: token } = (await app.inject({ method: 'POST', url: '/a/auth/register', payload })).json()
  t.equal((await app.inject({ url: '/a/guarded', headers: bearer(token) })).statusCode, 200)
  t.equal((await app.inject({ url: '/b/guarded', headers: bearer(token) })).statusCode, 401)
})
