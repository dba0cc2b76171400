import { createVerifier } from 'fast-jwt'
import Fastify, { type FastifyRequest } from 'fastify'
import { cacheSize, usersWithTokens, type Claims } from './tokens.ts'
import { guardedPath, offer, secret } from './offer.ts'

/** The least that can be written by hand: fast-jwt's verifier with its cache, and nothing else. */
const verify = createVerifier({ key: secret, algorithms: ['HS256'], cache: cacheSize })
const app = Fastify()
app.decorateRequest('claims', null)
interface WithClaims extends FastifyRequest { claims: Claims }

async function authenticate (request: FastifyRequest) {
  const bearing = request as WithClaims
  bearing.claims = verify(request.headers.authorization!.slice('Bearer '.length))
}
app.get(guardedPath, { onRequest: authenticate }, async (request) => ({ id: (request as WithClaims).claims.sub }))
offer(await app.listen({ host: '127.0.0.1', port: 0 }), usersWithTokens())
