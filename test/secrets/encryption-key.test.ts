import { generateKeyPairSync } from 'node:crypto'
import { inspect } from 'node:util'
import t from 'tap'
import accounts, { type AccountsOptions } from '../../lib/index.ts'
import { createSeal, readSealKey } from '../../lib/secrets/seal.ts'
import { readSettings } from '../../lib/settings.ts'
import { cheap, secret } from '../support/build.ts'
import { Fastify } from '../support/fastify.ts'

const given = 'kR7vQ2mXw9LzT4cN8bYh3JfP6sDgA1uE'
const bytes = Buffer.from('9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', 'hex')
const pair = { private: generateKeyPairSync('ed25519').privateKey }
const { log } = Fastify()

const settingsOf = (options: AccountsOptions, env = {}) => readSettings(options, env, log)
const idsOf = (options: AccountsOptions, env = {}) => settingsOf(options, env).sealKeys.map(({ id }) => id)
const ids = (...secrets: (string | Buffer)[]) => secrets.map((one) => readSealKey(Buffer.from(one)).id)

t.test('what is stored is encrypted with the given key, or else with the HMAC secrets', async (t) => {
  t.same(idsOf({ secret }), ids(secret))
  t.same(idsOf({ secret: [secret, given] }), ids(secret, given))
  t.same(idsOf({ secret, encryptionKey: given }), ids(given))
  t.same(idsOf({ secret, encryptionKey: [bytes, given] }), ids(bytes, given))
  t.same(idsOf({ secret, encryptionKey: [bytes, secret] }), ids(bytes, secret))
  t.same(idsOf({ secret }, { ACCOUNTS_ENCRYPTION_KEY: given }), ids(given))
  t.same(idsOf({ secret, encryptionKey: bytes }, { ACCOUNTS_ENCRYPTION_KEY: given }), ids(bytes))
})

t.test('a pair of keys encrypts nothing, whatever its private part is', async (t) => {
  t.same(idsOf({ secret: pair }), [])
  t.same(idsOf({ secret: [pair, secret] }), ids(secret))
  t.same(idsOf({ secret: pair, encryptionKey: given }), ids(given))
})

t.test('what was encrypted with the secret opens once there is a key of its own, if the secret is in the list', async (t) => {
  const place = { purpose: 'totp', table: 'accounts_totp', row: '7' }
  const text = createSeal(settingsOf({ secret }).sealKeys).seal('a seed', place)
  const seal = createSeal(settingsOf({ secret, encryptionKey: [given, secret] }).sealKeys)
  t.same(seal.open(text, place), { plain: Buffer.from('a seed'), isOld: true })
})

t.test('a key that is weak, doubled or none keeps the app from starting, and is not told', async (t) => {
  const wrong: unknown[] = [
    'short', 'x'.repeat(40), 'change-me-please-this-is-a-secret-key', Buffer.alloc(31, 'x7'), '', [], [given, 'short'],
    [given, given], [given, Buffer.from(given)], 5, null, {}, [null], [[given]], new Uint8Array(32), pair,
  ]
  for (const encryptionKey of wrong) {
    const app = Fastify()
    t.teardown(() => app.close())
    const options = { db: ':memory:', secret, password: cheap, encryptionKey: encryptionKey as string }
    const told = await app.register(accounts, options).then(() => undefined, (error) => error)
    t.match(told, {
      code: 'ACCOUNTS_OPTIONS_INVALID',
      message: /: encryptionKey \(or ACCOUNTS_ENCRYPTION_KEY\) must [^;]+$/,
    }, inspect(encryptionKey))
    t.notOk(told.message.includes(given))
    t.notOk(told.message.includes('change-me'))
  }
})

t.test('a key for encryption stands in no settings', async (t) => {
  const settings = settingsOf({ secret: pair, encryptionKey: [given, bytes] })
  const seen = `${JSON.stringify(settings)}${inspect(settings, { depth: 9, showHidden: true })}`
  t.match(seen, /sealKeys/)
  t.notOk(seen.includes(given))
  t.notOk(seen.includes('159, 134, 208, 129'))
  for (const encoding of ['hex', 'base64', 'base64url', 'latin1'] as const) t.notOk(seen.includes(bytes.toString(encoding)))
})
