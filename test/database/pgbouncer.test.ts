// In a process of its own, for 25 s: it waits, mostly.
import { setTimeout as pause } from 'node:timers/promises'
import type { EntityManager } from '@mikro-orm/core'
import type { SqlEntityManager } from '@mikro-orm/sqlite'
import t from 'tap'
import type { AccountsOptions } from '../../lib/index.ts'
import { build } from '../support/build.ts'
import { answers, freshDatabase, open, ormOf, openDatabase } from '../support/databases.ts'
import { until } from '../support/waiting.ts'
import { bounced } from './pgbouncer.ts'

const skip = await answers('postgresql') ? false : 'no PostgreSQL answers'
const many = Array.from({ length: 20 }, (_, index) => index)

/** What a connection would have from a session before, and who still listens on it. */
const leftBehind = `select name || ' = ' || setting as text from pg_settings where source = 'session' and name not in ('client_encoding', 'DateStyle', 'TimeZone', 'standard_conforming_strings', 'application_name')
  union all select 'listens to ' || channel from pg_listening_channels() channel
  union all select 'has prepared ' || name from pg_prepared_statements`

t.test(
  'through a PgBouncer in transaction mode the accounts work, and other clients of it meet nothing of ours',
  { skip },
  async (t) => {
    for (const way of ['by a URL', 'with a MikroORM']) {
      const direct = await freshDatabase(t, 'postgresql')
      const url = await bounced(t, direct, 2)
      const orm =
        way === 'by a URL'
          ? undefined
          : await ormOf(url, {
            entities: [],
            discovery: { warnWhenNoEntities: false },
            schemaGenerator: { skipTables: [/^accounts_/] },
          })
      t.teardown(async () => orm?.close(true))
      const options: AccountsOptions = orm ? { orm } : { db: url }
      const seen: unknown[] = []
      const { app, signUp, signIn, refresh, get, post } = await build(t, {
        ...options,
        hooks: {
          onRegister: async (em) => {
            seen.push(
              ...(await (em as SqlEntityManager).execute(
                "select current_setting('lock_timeout') as lock, current_setting('idle_in_transaction_session_timeout') as idle"
              ))
            )
          },
        },
      })
      const { user } = await signUp()
      t.same(seen, [{ lock: '9s', idle: '15s' }], way)

      const other = open(url)
      t.teardown(other.close)
      const found = new Set<string>()
      const over = new AbortController()
      const looking = (async () => {
        while (!over.signal.aborted) {
          for (const { text } of await other.all(leftBehind)) found.add(text)
          await pause(5)
        }
      })()
      const tours = await Promise.all(
        many.map(async () => {
          const { refresh_token: first } = await signIn()
          const { access_token: access, refresh_token: second } = (await refresh(first)).json()
          const before = (await get('/strict', access)).json()
          const out = await post('/auth/logout', { refresh_token: second })
          return [before.user.id, out.statusCode, (await get('/guarded', access)).statusCode]
        })
      )
      over.abort()
      await looking
      t.same(
        tours,
        many.map(() => [user.id, 204, 401])
      )
      t.same([...found], [], way)
      await app.close()
    }
  }
)

t.test(
  "a transaction of another client's goes on for as long as it likes, also on a connection that ours was on",
  { skip },
  async (t) => {
    const url = await bounced(t, await freshDatabase(t, 'postgresql'), 1)
    const { app, signUp } = await build(t, { db: url })
    await signUp()
    await app.close()
    const other = await ormOf(url, {
      entities: [],
      discovery: { warnWhenNoEntities: false },
      schemaGenerator: { skipTables: [/^accounts_/] },
    })
    t.teardown(() => other.close(true))
    await other.em.fork().transactional(async (em) => {
      await (em as EntityManager as SqlEntityManager).execute('select 1')
      await pause(17_000)
      t.same(await (em as EntityManager as SqlEntityManager).execute('select 1 as one'), [{ one: 1 }])
    })
  }
)

t.test('through a PgBouncer nobody listens, and what others revoke is found by looking', { skip }, async (t) => {
  const db = await freshDatabase(t, 'postgresql')
  const url = await bounced(t, db, 2)
  const { listen, close } = await openDatabase({ db: url, name: 'accounts' })
  t.teardown(close)
  const stop = await listen!('channel', () => {})
  const sql = open(db)
  t.teardown(sql.close)
  t.same(
    await sql.all("select query from pg_stat_activity where datname = current_database() and query ilike 'listen%'"),
    []
  )
  await stop()

  const [here, there] = [await build(t, { db: url }), await build(t, { db: url })]
  const { access_token: access, refresh_token: token } = await here.signUp()
  t.equal((await there.get('/guarded', access)).statusCode, 200)
  await here.post('/auth/logout', { refresh_token: token })
  await until(async () => (await there.get('/guarded', access)).statusCode === 401)
})
