import Fastify from 'fastify'
import accounts from '../../lib/index.ts'
import { offer, secret, tokens } from './offer.ts'

/** `POST /auth/login` as it is by default, production cost included. Its users can sign in. */
const app = Fastify({ trustProxy: true })
await app.register(accounts, { db: ':memory:', secret, prune: { interval: 0 } })
const users = []
for (let index = 0; index < tokens; index++) {
  const user = { username: `user ${index}`, password: 'correct horse battery staple' }
  await app.accounts.users.create(user)
  users.push(user)
}
offer(await app.listen({ host: '127.0.0.1', port: 0 }), users)
