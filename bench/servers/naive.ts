import jwt from '@fastify/jwt'
import { defineEntity, MikroORM, p } from '@mikro-orm/sqlite'
import Fastify from 'fastify'
import { usersWithTokens, type Claims } from './tokens.ts'
import { guardedPath, offer, secret } from './offer.ts'

/** What one writes first: each request asks the database whether its token was revoked. */
const RevokedToken = defineEntity({
  name: 'RevokedToken',
  properties: { jti: p.string().primary(), revokedAt: p.datetime() },
})
const orm = await MikroORM.init({ dbName: ':memory:', entities: [RevokedToken] })
await orm.schema.create()

const app = Fastify()
await app.register(jwt, {
  secret,
  verify: { algorithms: ['HS256'] },
  trusted: async (_, { jti }) => await orm.em.fork().findOne(RevokedToken, { jti }) === null,
})
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
