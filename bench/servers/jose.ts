import { webcrypto } from 'node:crypto'
import Fastify, { type FastifyRequest } from 'fastify'
import { jwtVerify } from 'jose'
import { usersWithTokens, type Claims } from './tokens.ts'
import { guardedPath, offer, secret } from './offer.ts'

/** jose's `jwtVerify`, with the key imported once. */
const key = await webcrypto.subtle.importKey('raw', Buffer.from(secret), { name: 'HMAC', hash: 'SHA-256' }, false, [
  'verify',
])
const app = Fastify()
app.decorateRequest('claims', null)
interface WithClaims extends FastifyRequest { claims: Claims }

async function authenticate (request: FastifyRequest) {
  const { payload } = await jwtVerify<Claims>(request.headers.authorization!.slice('Bearer '.length), key, {
    algorithms: ['HS256'],
  })
  const bearing = request as WithClaims
  bearing.claims = payload
}
app.get(guardedPath, { onRequest: authenticate }, async (request) => ({ id: (request as WithClaims).claims.sub }))
offer(await app.listen({ host: '127.0.0.1', port: 0 }), usersWithTokens())
