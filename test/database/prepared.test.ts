import t, { type Test } from 'tap'
import type { SqlEntityManager } from '@mikro-orm/sqlite'
import { keptTexts } from '../../lib/database/statement.ts'
import { build } from '../support/build.ts'
import { answers, freshDatabase, open, ormOf } from '../support/databases.ts'
import { listenIn } from './wire.ts'

const skip = await answers('postgresql') ? false : 'no PostgreSQL answers'

/** An app with one connection, and Ada. */
async function buildOnOne (t: Test, way: 'db' | 'orm') {
  const db = await freshDatabase(t, 'postgresql')
  const sql = open(db)
  t.teardown(sql.close)
  const orm = way === 'orm'
    ? await ormOf(db, {
      entities: [],
      discovery: { warnWhenNoEntities: false },
      schemaGenerator: { skipTables: [/^accounts_/] },
      pool: { min: 0, max: 1 },
    })
    : undefined
  t.teardown(async () => orm?.close(true))
  const built = await build(t, orm ? { orm } : { db: `${db}?connection_limit=1` })
  const { signUp, refresh, get } = built
  const { access_token: access, refresh_token: first } = await signUp()
  let token = first
  return {
    sql,
    ask: (text: string) => ((orm?.em ?? built.app.accounts.orm.em) as SqlEntityManager).execute(text),
    /** What requests are answered that read a session and move one. */
    async statuses () {
      const moved = await refresh(token)
      token = moved.json().refresh_token
      return [moved.statusCode, (await get('/strict', access)).statusCode]
    },
  }
}

t.test('what many requests ask PostgreSQL is parsed once on each connection', { skip }, async (t) => {
  const wire = await listenIn(t, await freshDatabase(t, 'postgresql'))
  const { signUp, signIn, refresh, get } = await build(t, { db: wire.url })
  await signUp()
  for (let round = 0; round < 5; round++) {
    const { access_token: access, refresh_token: token } = await signIn()
    await refresh(token)
    await get('/strict', access)
  }
  /** A connection, the name of a statement, and its text, as they were parsed. */
  const parsed = wire.heard().filter(({ kind, text }) => kind === 'P' && keptTexts.has(text))
    .map(({ connection, text, bytes }) => ({ text, key: `${connection} ${bytes.toString().split('\0')[0]}` }))
  t.ok(parsed.length > 5)
  t.same(parsed.filter(({ key }) => !/ accounts_[\w-]{22}$/.test(key)), [])
  t.equal(new Set(parsed.map(({ key }) => key)).size, parsed.length)
})

for (const way of ['db', 'orm'] as const) {
  t.test(`by ${way}: tables that get other columns meanwhile cost nobody a request`, { skip }, async (t) => {
    const { sql, statuses } = await buildOnOne(t, way)
    t.same(await statuses(), [200, 200])
    for (const table of ['users', 'sessions']) await sql.run(`alter table accounts_${table} add column later int`)
    for (let round = 0; round < 2; round++) t.same(await statuses(), [200, 200])
  })

  t.test(`by ${way}: a connection that was somebody else's meanwhile costs nobody a request`, { skip }, async (t) => {
    const { ask, sql, statuses } = await buildOnOne(t, way)
    t.same(await statuses(), [200, 200])
    const keeps = async () => (await ask("select name from pg_prepared_statements where name like 'accounts_%'")).length
    t.ok(await keeps() > 0)
    await ask('deallocate all')
    for (let round = 0; round < 2; round++) t.same(await statuses(), [200, 200])
    t.equal(await keeps(), 0, 'nothing is kept from then on')
    t.ok(await sql.get('select 1'))
  })
}
