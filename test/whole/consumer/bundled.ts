// An app that a bundler puts into one file. It is run there, and says what it does.
import accounts from 'fastify-jwt-accounts'
import Fastify, { type FastifyError } from 'fastify'

const secret = 'Zq8vT2kLw9XcR5nYb3HjM7pFs1DgA4uE'

/** A bundle that is no module may not wait at its top. */
async function start (): Promise<void> {
  const app = Fastify()
  await app.register(accounts, { db: ':memory:', secret, password: { argon2: { memoryCost: 1024 } } })
  app.get('/guarded', { preHandler: app.authenticate }, async ({ user }) => user.username)
  const register = (username: string, password: string) => app.inject({ method: 'POST', url: '/auth/register', payload: { username, password } })

  const registered = await register('ada', 'correct horse battery staple')
  console.log(registered.statusCode)
  console.log((await register('bea', 'password12345678')).json().code)
  console.log((await app.inject({ url: '/guarded', headers: { authorization: `Bearer ${registered.json().access_token}` } })).body)
  await app.close()

  // The driver of this one was not installed when the bundle was made.
  const elsewhere = Fastify()
  await elsewhere.register(accounts, { db: 'mysql://127.0.0.1:1/app', secret }).then(
    () => {}, ({ code, message }: FastifyError) => console.log(code, message))
}

start()
