import { createRequire } from 'node:module'
import cookie from '@fastify/cookie'
import session from '@fastify/session'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { bearer, client, secret } from '../../support/build.ts'
import { addAccounts, open } from './tour.ts'

// Its types make request.user optional in the whole program.
const { Authenticator, Strategy } = createRequire(import.meta.url)('@fastify/passport')

/** Lets in who knows the word, and keeps that in a session of its own. */
class Word extends Strategy {
  constructor () {
    super('word')
  }

  authenticate ({ headers }: { headers: Record<string, string> }) {
    if (headers['x-word'] === 'sesame') this['success']({ id: 'of-passport' })
    else this['fail']('Say the word', 401)
  }
}

async function addPassport (app: FastifyInstance, options: object = {}) {
  await app.register(cookie)
  await app.register(session, { secret, cookie: { secure: false } })
  const passport = new Authenticator(options)
  passport.use(new Word())
  passport.registerUserSerializer(async ({ id }: { id: string }) => id)
  passport.registerUserDeserializer(async (id: string) => ({ id }))
  await app.register(passport.initialize())
  await app.register(passport.secureSession())
  return passport
}

const before = { name: 'before us, with our user under another name', decoratorName: 'account', passport: {} }
const after = {
  name: 'after us, with its user under another name',
  decoratorName: 'user',
  passport: { userProperty: 'passportUser' },
}

for (const { name, decoratorName, passport: options } of [before, after]) {
  t.test(
    `@fastify/passport and its session, ${name}: each lets in its own, and knows nothing of the other`,
    async (t) => {
      const app = open(t)
      const theirs = decoratorName === 'user' ? 'passportUser' : 'user'
      if (decoratorName === 'user') await addAccounts(app)
      const passport = await addPassport(app, options)
      if (decoratorName !== 'user') await addAccounts(app, { decoratorName })
      const handler = async (request: object) => ({
        theirs: Reflect.get(request, theirs),
        ours: Reflect.get(request, decoratorName)?.username,
      })
      app.post('/word', { preValidation: passport.authenticate('word') }, handler)
      app.get(
        '/theirs',
        {
          preHandler: async (request) => {
            if (!Reflect.get(request, 'isAuthenticated').call(request)) { throw Object.assign(new Error('Not by passport'), { statusCode: 401 }) }
          },
        },
        handler
      )
      app.get('/ours', { preHandler: app.authenticate }, handler)
      app.get('/maybe', { preHandler: app.accounts.guard({ optional: true }) }, handler)
      const { get, signUp } = client(app)
      const { access_token: token } = await signUp()

      t.equal((await app.inject({ method: 'POST', url: '/word' })).statusCode, 401)
      const known = await app.inject({ method: 'POST', url: '/word', headers: { 'x-word': 'sesame' } })
      t.match(known.json(), { theirs: { id: 'of-passport' } })
      const cookies = Object.fromEntries(known.cookies.map(({ name, value }) => [name, value]))
      t.match((await app.inject({ url: '/theirs', cookies })).json(), { theirs: { id: 'of-passport' } })
      t.equal((await get('/theirs', token)).statusCode, 401)

      t.match((await app.inject({ url: '/ours', cookies })).json(), { statusCode: 401, code: 'ACCOUNTS_TOKEN_MISSING' })
      t.match((await app.inject({ url: '/ours', cookies, headers: bearer(token) })).json(), {
        theirs: { id: 'of-passport' },
        ours: 'ada',
      })
      t.strictSame(
        (await app.inject({ url: '/maybe', cookies })).json(),
        { theirs: { id: 'of-passport' } },
        'who passport knows is nobody of ours'
      )
    }
  )
}

t.test('@fastify/passport after us, under the same name, is a clear error of Fastify', async (t) => {
  const app = open(t)
  await addAccounts(app)
  await t.rejects(addPassport(app), { code: 'FST_ERR_DEC_ALREADY_PRESENT', message: /'user'/ })
})
