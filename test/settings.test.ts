import { generateKeyPairSync, KeyObject } from 'node:crypto'
import { Type } from '@sinclair/typebox'
import t from 'tap'
import type { AccountsOptions } from '../lib/index.ts'
import { readSettings } from '../lib/settings.ts'
import { secret } from './support/build.ts'
import { Fastify } from './support/fastify.ts'

const read = (options: AccountsOptions, env: NodeJS.ProcessEnv = {}) => readSettings(options, env, Fastify().log)

/** The paths to what can be changed in plain data. */
function changeable (value: unknown, path: string): string[] {
  const isPlain = typeof value === 'object' && value !== null && !Buffer.isBuffer(value) && !(value instanceof KeyObject)
  if (!isPlain) return []
  const inner = Object.entries(value).flatMap(([name, part]) => changeable(part, `${path}.${name}`))
  return Object.isFrozen(value) ? inner : [path, ...inner]
}

t.test('settings are frozen, to their depths', (t) => {
  const { privateKey } = generateKeyPairSync('ed25519')
  const settings = read({
    secret: [{ private: privateKey }, secret],
    audience: ['one', 'two'],
    user: { public: [] },
    csrf: { trustedOrigins: ['https://app.example.com'] },
    introspection: { clients: [{ id: 'shop', secret: 'x'.repeat(32) }] },
    password: { breached: {} },
  })
  t.strictSame(changeable(settings, 'settings'), [])
  t.end()
})

t.test('what the app has given stays as it was: its MikroORM, its schemas, its hashers and its lists', (t) => {
  const hasher = { hash: async () => '$x$', verify: async () => true, needsRehash: () => false }
  const legacy = [{ knows: () => true, verify: async () => true, decoy: 'x' }]
  const orm = { em: {}, config: {}, getMetadata: () => {} }
  const [displayName, data] = [Type.String(), Type.Object({ tenant: Type.String() })]
  const contextWords = ['acme']
  const onLogin = () => {}
  const settings = read({
    secret,
    orm,
    user: { fields: { displayName } },
    sessions: { data },
    password: { hasher, legacy, contextWords },
    hooks: { onLogin },
  })

  t.equal(settings.orm, orm)
  t.equal(settings.password.hasher, hasher)
  t.equal(settings.user.fields.displayName, displayName)
  const theirs = [hasher, legacy, legacy[0], orm, orm.config, displayName, data, data.properties, contextWords, onLogin]
  for (const own of theirs) t.notOk(Object.isFrozen(own))
  t.end()
})

t.test('what is no group of options is refused as one, whatever the environment says of them', (t) => {
  const refresh = [] as object
  const env = { JWT_REFRESH_TOKEN_EXPIRES: '2d' }
  t.throws(() => read({ secret, refresh }, env), { message: /: refresh must be object$/ })
  t.end()
})

t.test('the variable of the database counts for nothing beside a MikroORM', (t) => {
  const settings = read({ secret, orm: () => ({}) as never }, { ACCOUNTS_DATABASE_URL: 'mongodb://localhost/app' })
  t.equal(settings.db, 'accounts.sqlite')
  t.end()
})
