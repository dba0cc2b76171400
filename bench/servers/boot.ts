import jwt from '@fastify/jwt'
import Fastify from 'fastify'
import type { AnyEntity } from '@mikro-orm/core'
import { offer, secret, variant } from './offer.ts'

/**
 * An app that is ready: ours as it is published, or one of Fastify, @fastify/jwt and a MikroORM with the same entities,
 * compiled.
 */
const [kind, db] = [variant, process.argv[3]!]
const built = new URL('../../reports/boot/', import.meta.url)
const app = Fastify()
if (kind === 'ours') {
  const { default: accounts }: typeof import('../../lib/index.ts') =
    await import(new URL('ours/lib/index.js', built).href)
  await app.register(accounts, { db, secret })
  app.get('/guarded', { onRequest: app.authenticate }, async ({ user }) => ({ id: user!.id }))
} else {
  const places = {
    User: 'users/entity',
    UniqueField: 'users/unique-field',
    Session: 'sessions/entity',
    RevokedToken: 'sessions/revoked-token',
    Revision: 'sessions/revision',
    Event: 'events/entity',
    ThrottleBucket: 'features/throttle/entity',
  }
  const load = async ([name, file]: [string, string]) => {
    const module = await import(new URL(`peers/lib/${file}.js`, built).href)
    return module[name] as new () => AnyEntity
  }
  const [entities, { MikroORM }] = await Promise.all([
    Promise.all(Object.entries(places).map(load)),
    import(db.includes('://') ? '@mikro-orm/postgresql' : '@mikro-orm/sqlite') as Promise<
      typeof import('@mikro-orm/sqlite')
    >,
  ])
  const orm = await MikroORM.init(db.includes('://') ? { clientUrl: db, entities } : { dbName: db, entities })
  await orm.em.getConnection().execute('select 1')
  await app.register(jwt, { secret })
  app.get('/guarded', { onRequest: async (request) => { await request.jwtVerify() } }, async ({ user }) => ({ user }))
}
await app.ready()

const ms = performance.now()
offer(String(ms), [], { ms: () => ms })
