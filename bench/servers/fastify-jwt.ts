import jwt from '@fastify/jwt'
import Fastify from 'fastify'
import { cacheSize, usersWithTokens, type Claims } from './tokens.ts'
import { guardedPath, offer, secret, variant } from './offer.ts'

/** `request.jwtVerify()`, as its README has it: no revocation, and no user but what the token says. */
const app = Fastify()
await app.register(jwt, { secret, verify: { algorithms: ['HS256'], ...(variant === 'cache' && { cache: cacheSize }) } })
app.get(
  guardedPath,
  {
    onRequest: async (request) => {
      await request.jwtVerify()
    },
  },
  async ({ user }) => ({ id: (user as unknown as Claims).sub })
)
offer(await app.listen({ host: '127.0.0.1', port: 0 }), usersWithTokens())
