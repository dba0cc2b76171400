// In a process of its own, for 140 s: it waits, mostly.
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PostgreSqlConnection, SqlEntityManager } from '@mikro-orm/postgresql'
import t from 'tap'
import { build } from '../support/build.ts'
import { answers, freshDatabase, open, ormOf } from '../support/databases.ts'
import { until } from '../support/waiting.ts'
import { testServer } from './on-server.ts'

const limits =
  "select current_setting('lock_timeout') as lock_s, current_setting('idle_in_transaction_session_timeout') as idle_s, current_setting('transaction_isolation') as isolation"
const others = 'from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()'

t.test(
  'postgresql: transactions have their limits on connections too that an app keeps to itself',
  { skip: !(await answers('postgresql')) && 'no PostgreSQL answers' },
  async (t) => {
    const db = await freshDatabase(t, 'postgresql')
    const empty = {
      entities: [],
      discovery: { warnWhenNoEntities: false },
      schemaGenerator: { skipTables: [/^accounts_/] },
    }
    const pooled = await ormOf(db, empty)
    t.teardown(() => pooled.close(true))
    const orm = await ormOf(db, {
      ...empty,
      driverOptions: (pooled.em as SqlEntityManager).getConnection().getClient(),
    })
    const seen: unknown[] = []
    const { signUp, post, get } = await build(t, {
      orm,
      hooks: {
        onRegister: async (em) => {
          seen.push(...(await (em as SqlEntityManager).execute(limits)))
        },
      },
    })
    const { refresh_token: token, access_token: access } = await signUp()
    t.same(seen, [{ lock_s: '9s', idle_s: '15s', isolation: 'read committed' }])
    t.equal((await post('/auth/logout', { refresh_token: token })).statusCode, 204)
    t.equal((await get('/strict', access)).statusCode, 401)
  }
)

t.test(
  'postgresql: what nobody waits for any more is ended at the server, also behind a Unix socket',
  { skip: !(await answers('postgresql')) && 'no PostgreSQL answers' },
  async (t) => {
    const db = new URL(await freshDatabase(t, 'postgresql'))
    const sql = open(db.href)
    t.teardown(sql.close)
    const folder = mkdtempSync(join(tmpdir(), 'pg-'))
    const server = createServer((near) => {
      const far = connect(Number(db.port || 5432), db.hostname)
      near.pipe(far).pipe(near)
      for (const socket of [near, far]) {
        socket.on('error', () => {
          near.destroy()
          far.destroy()
        })
      }
    }).listen(join(folder, '.s.PGSQL.5432'))
    t.teardown(() => {
      server.close()
      rmSync(folder, { recursive: true })
    })

    for (const url of [db.href, `postgresql://${db.username}@localhost${db.pathname}?host=${folder}&port=5432`]) {
      const { app, signUp, refresh } = await build(t, { db: url }, { logger: { level: 'silent' } })
      const { refresh_token: token } = await signUp(url === db.href ? 'ada' : 'bob')
      await sql.run('begin')
      await sql.run('update accounts_sessions set ver = ver')
      const answer = refresh(token)
      // A pool would end a connection that it takes for idle.
      const awake = setInterval(() => {
        sql.get('select 1')
      }, 1000)
      t.equal((await answer).statusCode, 503)
      const waiting = async () =>
        Number(
          (await sql.get(
            "select count(*) as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
          ))!.n
        )
      await until(async () => (await waiting()) === 0)
      clearInterval(awake)
      await sql.run('rollback')
      await app.close()
    }
  }
)

t.test(
  'postgresql: the pool of our own connections may be asked by itself',
  { skip: !(await answers('postgresql')) && 'no PostgreSQL answers' },
  async (t) => {
    const { app } = await build(t, { db: await freshDatabase(t, 'postgresql') })
    const pool = await (app.accounts.orm.em.getConnection() as PostgreSqlConnection).getNativeClient()
    t.match(await pool.query('select 1 as one'), { rows: [{ one: 1 }] })
  }
)

await testServer(t, {
  kind: 'postgresql',
  killOthers: (sql) => sql.all(`select pg_terminate_backend(pid) ${others}`),
  others: `select pid as id ${others}`,
  locked: `select pid as id ${others} and wait_event_type = 'Lock'`,
  tables: "select table_name as name from information_schema.tables where table_schema = 'public'",

  async elsewhere (db) {
    const sql = open(db)
    await sql.run(`alter database ${new URL(db).pathname.slice(1)} set timezone to 'Asia/Kathmandu'`)
    await sql.close()
    return db
  },

  async onlyRead (sql) {
    const { name } = (await sql.get('select current_database() as name'))!
    await sql.run(`alter database ${name} set default_transaction_read_only = on`)
    return async () => {
      await sql.run('set default_transaction_read_only = off')
      await sql.run(`alter database ${name} reset default_transaction_read_only`)
    }
  },
  limits,

  parameters: 'application_name=accounts&sslmode=disable',
})
