import Fastify from 'fastify'
import accounts from '../../lib/index.ts'
import { offer, secret, tokens, variant as db } from './offer.ts'

/** `POST /auth/refresh` on a database, where every refresh moves the session on. Its users are refresh tokens. */
const app = Fastify()
await app.register(accounts, { db, secret, refresh: { window: 0 }, prune: { interval: 0 } })

const users = []
for (let index = 0; index < tokens; index++) {
  const { refresh_token: token } = await app.accounts.issueTokens(await app.accounts.users.create({ username: `user ${index}` }))
  users.push({ token })
}
offer(await app.listen({ host: '127.0.0.1', port: 0 }), users)
