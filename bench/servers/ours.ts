import { generateKeyPairSync } from 'node:crypto'
import Fastify from 'fastify'
import accounts from '../../lib/index.ts'
import { bearer, guardedPath, offer, secret, tokens, variant } from './offer.ts'

/** `app.authenticate` as it is by default: exact revocation, and the user. The variant is an algorithm and a place. */
const [algorithm, location] = variant.split(' ')
const app = Fastify()
await app.register(accounts, {
  db: ':memory:',
  secret: algorithm === 'EdDSA' ? { private: generateKeyPairSync('ed25519').privateKey } : secret,
  access: { expiresIn: '1h' },
  transport: location === 'cookie' ? 'both' : 'body',
})
app.get(guardedPath, { onRequest: app.authenticate }, async ({ user }) => ({ id: user!.id }))

const users = []
for (let index = 0; index < tokens; index++) {
  const user = await app.accounts.users.create({ username: `user ${index}` })
  const { access_token: token } = await app.accounts.issueTokens(user)
  users.push(location === 'cookie' ? { cookie: `__Host-access=${token}; __Host-csrf=${'0'.repeat(43)}` } : bearer(token))
}
offer(await app.listen({ host: '127.0.0.1', port: 0 }), users)
