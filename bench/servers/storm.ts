import Fastify from 'fastify'
import accounts, { type TokenResponse } from '../../lib/index.ts'
import { bearer, guardedPath, offer, secret, variant as concurrency } from './offer.ts'

/** A guarded route beside a login, at the production cost, with so many hashes at once. Whoever comes may try. */
const app = Fastify({ trustProxy: true })
await app.register(accounts, {
  db: ':memory:',
  secret,
  password: { concurrency: Number(concurrency) },
  throttle: { accountNetwork: 100_000, network: 100_000, account: 100_000 },
  sessions: { max: 1000 },
  prune: { interval: 0 },
})
app.get(guardedPath, { onRequest: app.authenticate }, async () => 'in')

const payload = { username: 'ada', password: 'correct horse battery staple' }
const { body } = await app.inject({ method: 'POST', url: '/auth/register', payload })
const { access_token: token } = JSON.parse(body) as TokenResponse
offer(await app.listen({ host: '127.0.0.1', port: 0 }), [bearer(token)])
