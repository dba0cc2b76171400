// In a process of its own: it looks at every statement of it.
import { mock } from 'node:test'
import Database from 'better-sqlite3'
import { test } from 'tap'
import { keyCounters } from '../../../lib/features/api-keys/events.ts'
import { createKeyTexts } from '../../../lib/features/api-keys/key-text.ts'
import { createKnownKeys } from '../../../lib/features/api-keys/known-keys.ts'
import { freshDatabase, open } from '../../support/databases.ts'
import { bearer } from '../../support/build.ts'
import { letPass, until } from '../../support/waiting.ts'
import { buildWithKeys } from './with-keys.ts'

let statements: string[] = []
const client = new Database(':memory:')
const prototype = Object.getPrototypeOf(client.prepare('select 1'))
client.close()
for (const name of ['run', 'all', 'get', 'iterate']) {
  const usual = prototype[name]
  prototype[name] = function (...given: unknown[]) {
    statements.push(this.source)
    return usual.apply(this, given)
  }
}

/** No poll comes in between. */
const slow = { pollInterval: '60s', maxStaleness: '5m' } as const

async function statementsOf (act: () => Promise<unknown>): Promise<string[]> {
  statements = []
  await act()
  return statements
}

test('a key that is known costs no statement, and one that is not one read by its primary key', async (t) => {
  const { get, makeKey } = await buildWithKeys(t, { revocation: slow })
  const [{ key }, other] = [await makeKey(), await makeKey()]
  await get('/auth/me', key)
  const atFirst = await statementsOf(() => get('/keyed', other.key))
  t.equal(atFirst.length, 1, 'its user is known already')
  t.match(atFirst[0], /from [`"]accounts_keys[`"] .*where .*[`"]id[`"] = \?/)

  const later = await statementsOf(async () => {
    for (let times = 0; times < 20; times++) {
      for (const one of [key, other.key]) t.equal((await get('/keyed', one)).statusCode, 200)
    }
  })
  t.strictSame(later, [])
})

test('a typo costs no statement, and a wrong key one', async (t) => {
  const { get, makeKey } = await buildWithKeys(t, { revocation: slow })
  const { id, key } = await makeKey()
  t.strictSame(await statementsOf(() => get('/keyed', `${key.slice(0, -1)}!`)), [])
  t.equal((await statementsOf(() => get('/keyed', createKeyTexts('fja').make(id).key))).length, 1)
})

test('a key that many show at once is read once', async (t) => {
  const { app, get, makeKey } = await buildWithKeys(t, { revocation: slow })
  const { key } = await makeKey()
  const before = app.accounts.counters.keysRead
  const answers = await Promise.all(Array.from({ length: 20 }, () => get('/keyed', key)))
  t.ok(answers.every(({ statusCode }) => statusCode === 200))
  t.equal(app.accounts.counters.keysRead, before + 1)
})

test('a key that changes while it is read is read again', async (t) => {
  const texts = createKeyTexts('fja')
  const { key, hash } = texts.make('019c2a64-6f3e-7b42-9c39-5d6bb1a3f0d1')
  const row = { id: '019c2a64-6f3e-7b42-9c39-5d6bb1a3f0d1', userId: 'ada', hash, scopes: [] as string[] }
  const answers: ((row: object) => void)[] = []
  const known = createKnownKeys({
    database: { run: () => new Promise((resolve) => { answers.push(resolve) }) } as never,
    rows: {} as never,
    texts,
    counters: { ...keyCounters },
  }, { access: { expiresInSeconds: 60 }, leewaySeconds: 0 })

  const [first, second] = [known.get(key), known.get(key)]
  known.forget('019c2a64-6f3e-7b42-9c39-5d6bb1a3f0d2')
  known.forget(row.id)
  answers[0]!(row)
  await until(() => answers.length === 2)
  t.equal(known.remembered(key), undefined)
  answers[1]!({ ...row, scopes: ['orders:read'] })
  for (const found of [first, second]) t.match(await found, { scopes: ['orders:read'] })
  t.match(known.remembered(key), { scopes: ['orders:read'] })
  known.forgetAll()
  t.equal(known.remembered(key), undefined)
})

test('a key that ends while it is read opens nothing', async (t) => {
  const { app, get, makeKey, ofKey } = await buildWithKeys(t, { revocation: slow })
  const { id, key } = await makeKey()
  const asking = get('/keyed', key)
  const ending = ofKey('DELETE', `/${id}`)
  await Promise.all([asking, ending])
  t.match((await get('/keyed', key)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.equal((await app.inject({ url: '/keyed', headers: bearer(key) })).statusCode, 401)
})

test('what somebody else writes in the database is seen after the life of an access token', async (t) => {
  const db = await freshDatabase(t)
  const { get, makeKey } = await buildWithKeys(t, { db, access: { expiresIn: '5m' } })
  const { id, key } = await makeKey()
  t.equal((await get('/keyed', key)).statusCode, 200)
  const sql = open(db)
  t.teardown(() => sql.close())
  await sql.run('delete from accounts_keys where id = ?', id)
  t.equal((await get('/keyed', key)).statusCode, 200)
  letPass(t, 300_000)
  t.match((await get('/keyed', key)).json(), { code: 'ACCOUNTS_TOKEN_INVALID' })
})

test('a key expires in memory too', async (t) => {
  const { get, makeKey } = await buildWithKeys(t)
  mock.timers.enable({ apis: ['Date'], now: Date.now() })
  t.teardown(() => mock.timers.reset())
  const { key } = await makeKey({ expires_in: 60 })
  t.equal((await get('/keyed', key)).statusCode, 200)
  mock.timers.tick(60_000)
  t.match((await get('/keyed', key)).json(), { code: 'ACCOUNTS_TOKEN_EXPIRED' })
})
