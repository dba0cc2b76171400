import { randomUUID } from 'node:crypto'
import jwt from '@fastify/jwt'
import { defineEntity, p } from '@mikro-orm/core'
import { hash, verify } from 'argon2'
import Fastify from 'fastify'
import { offer, secret, tokens, variant as db } from './offer.ts'

/**
 * What one writes with @fastify/jwt, argon2 and MikroORM: a login that notes a refresh token, and a refresh that
 * replaces it. No limits on guessing, and a refresh token that is shown twice is refused, no more. Its users can sign
 * in, and have a refresh token.
 */
const User = defineEntity({
  name: 'User', properties: { id: p.integer().primary(), username: p.string().unique(), passwordHash: p.string() },
})
const RefreshToken = defineEntity({
  name: 'RefreshToken', properties: { jti: p.string().primary(), userId: p.integer(), expiresAt: p.datetime() },
})
const { MikroORM } = await (db.includes('://')
  ? import('@mikro-orm/postgresql') as unknown as Promise<typeof import('@mikro-orm/sqlite')>
  : import('@mikro-orm/sqlite'))
const entities = [User, RefreshToken]
const orm = await MikroORM.init(db.includes('://') ? { clientUrl: db, entities } : { dbName: db, entities })
await orm.schema.create()
// As ours has it, and as it is usual where several requests write at once.
if (!db.includes('://')) await orm.em.getConnection().execute('pragma journal_mode = wal')

const app = Fastify()
await app.register(jwt, { secret })

type Manager = typeof orm.em

async function issue (em: Manager, userId: number) {
  const jti: string = randomUUID()
  await em.insert(RefreshToken, { jti, userId, expiresAt: new Date(Date.now() + 30 * 86_400_000) })
  return {
    access_token: app.jwt.sign({ sub: `${userId}` }, { expiresIn: '15m' }),
    refresh_token: app.jwt.sign({ sub: `${userId}`, jti }, { expiresIn: '30d' }),
  }
}

app.post<{ Body: { username: string, password: string } }>('/auth/login', async ({ body }, reply) => {
  const em = orm.em.fork()
  const user = await em.findOne(User, { username: body.username })
  if (!user || !await verify(user.passwordHash, body.password)) return reply.code(401).send()
  return issue(em, user.id)
})

app.post<{ Body: { refresh_token: string } }>('/auth/refresh', async ({ body }, reply) => {
  const { jti, sub } = app.jwt.verify<{ jti: string, sub: string }>(body.refresh_token)
  return orm.em.fork().transactional(async (em) => {
    const [spent, user] = [await em.nativeDelete(RefreshToken, { jti }), await em.findOne(User, { id: Number(sub) })]
    return spent === 1 && user ? issue(em, user.id) : reply.code(401).send()
  })
})

const password = 'correct horse battery staple'
const passwordHash = await hash(password, { memoryCost: 19456, timeCost: 2, parallelism: 1 })
const users = []
for (let id = 1; id <= tokens; id++) {
  const em = orm.em.fork()
  const username = `user ${id}`
  await em.insert(User, { id, username, passwordHash })
  users.push({ username, password, token: (await issue(em, id)).refresh_token })
}
offer(await app.listen({ host: '127.0.0.1', port: 0 }), users)
