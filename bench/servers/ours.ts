import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto'
import type { SqlEntityManager } from '@mikro-orm/sqlite'
import { createSigner } from 'fast-jwt'
import Fastify from 'fastify'
import accounts from '../../lib/index.ts'
import { bearer, guardedPath, offer, secret, tokens, variant } from './offer.ts'

/**
 * `app.authenticate` as it is by default: exact revocation, and the user. The variant is an algorithm and a place, and
 * whether there are second factors, and the route asks for a level.
 */
const [algorithm, location, levels] = variant.split(' ') as
  ['HS256' | 'EdDSA', 'header' | 'cookie', 'factors' | 'acr' | undefined]
const { privateKey } = generateKeyPairSync('ed25519')
const app = Fastify()
await app.register(accounts, {
  db: ':memory:',
  secret: algorithm === 'EdDSA' ? { private: privateKey } : secret,
  access: { expiresIn: '1h' },
  transport: location === 'cookie' ? 'both' : 'body',
  factors: levels !== undefined,
})
const onRequest = levels === 'acr' ? app.accounts.guard({ acr: 'aal2' }) : app.authenticate
app.get(guardedPath, { onRequest }, async ({ user }) => ({ id: user!.id }))

// One user and one token are made by the plugin, the others after their pattern: ten thousand logins would take too
// long.
const { access_token: first } = await app.accounts.issueTokens(
  await app.accounts.users.create({ username: 'ada' }), levels ? { acr: 'aal2', amr: ['pwd', 'otp', 'mfa'] } : {})
const { header, claims } = app.accounts.decode(first)
const ids = Array.from({ length: tokens }, () => randomUUID())
await (app.accounts.orm.em as SqlEntityManager).getConnection().execute(`
  insert into accounts_users (id, username, username_key, password_hash, roles, profile, epoch, created_at, updated_at, password_changed_at)
  select value, value, value, password_hash, roles, profile, epoch, created_at, updated_at, password_changed_at from accounts_users, json_each(?)`,
[JSON.stringify(ids)]
)
const key = algorithm === 'EdDSA' ? privateKey.export({ type: 'pkcs8', format: 'pem' }) : secret
const sign = createSigner({ key, algorithm, header: { ...header, alg: algorithm } })
const users = ids.map((sub) => {
  const token = sign({ ...claims, sub, sid: randomUUID(), jti: randomBytes(16).toString('base64url') })
  return location === 'cookie' ? { cookie: `__Host-access=${token}; __Host-csrf=${'0'.repeat(43)}` } : bearer(token)
})
offer(await app.listen({ host: '127.0.0.1', port: 0 }), users)
