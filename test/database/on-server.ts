import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { EntityManager, MikroORM } from '@mikro-orm/core'
import type { SqlEntityManager } from '@mikro-orm/sqlite'
import type { Test } from 'tap'
import { Revision } from '../../lib/sessions/revision.ts'
import { Session } from '../../lib/sessions/entity.ts'
import accounts, { type AccountsOptions } from '../../lib/index.ts'
import { build, cheap, password, secret } from '../support/build.ts'
import {
  answers,
  freshDatabase,
  open,
  ormOf,
  servers,
  type Kind,
  type Sql,
  openDatabase,
} from '../support/databases.ts'
import { until } from '../support/waiting.ts'
import { wireTo } from './proxy.ts'
import { Fastify } from '../support/fastify.ts'

const run = promisify(execFile)
const boot = join(import.meta.dirname, '..', 'support', 'boot.ts')
const quiet = { logger: { level: 'silent' } }
const many = Array.from({ length: 30 }, (_, index) => index)

/** What a server must be asked to behave otherwise. */
interface Server {
  kind: Exclude<Kind, 'sqlite'>
  /** Ends every connection to a database but the one that asks. */
  killOthers: (sql: Sql) => Promise<unknown>
  /** The connections that others have, by `id`. */
  others: string
  /** Those of them that wait for a lock. */
  locked: string
  /** The tables of the database at hand. */
  tables: string
  /** Makes the server think in another time zone, for this database or this connection's URL. */
  elsewhere: (db: string) => Promise<string>
  /** What the driver may be told. */
  parameters: string
  /** Makes connections that open from now on, to a database or in this pool, only read; gives what ends that. */
  onlyRead: (sql: Sql, orm: MikroORM) => Promise<() => Promise<void>>
  /** The settings of the connection at hand that a transaction of ours has of its own. */
  limits: string
}

/**
 * A transaction stays open for so long, or until something is over; a pool would end it that takes its connection for
 * idle.
 */
async function keepFor (sql: Sql, ms: number, isOver: () => boolean): Promise<void> {
  for (const end = performance.now() + ms; performance.now() < end && !isOver(); await pause(Math.min(ms, 1000))) { await sql.get('select 1') }
}

/** A MikroORM of an app's, with a pool, that knows nothing of ours. */
async function ownOrm (t: Test, db: string): Promise<MikroORM> {
  const orm = await ormOf(db, {
    entities: [],
    discovery: { warnWhenNoEntities: false },
    schemaGenerator: { skipTables: [/^accounts_/] },
    pool: { min: 0, max: 10 },
  })
  t.teardown(() => orm.close(true))
  return orm
}

/** All that must hold on every server. */
export async function testServer (
  t: Test,
  { kind, killOthers, others, locked, tables, elsewhere, parameters, onlyRead, limits }: Server
): Promise<void> {
  const skip = (await answers(kind)) ? false : `no ${kind} answers at ${new URL(servers[kind]).host}`
  const on = (name: string, test: (t: Test) => unknown, buffered = false) => {
    t.test(`${kind}: ${name}`, { skip, buffered }, async (t) => {
      await test(t)
    })
  }
  const onSlowly = (name: string, test: (t: Test) => unknown) => on(name, test, true)
  const fresh = (t: Test) => freshDatabase(t, kind)
  /** On connections of our own, and on those of an app that lends them. */
  const ways: [way: string, optionsOn: (t: Test, db: string) => Promise<AccountsOptions>][] = [
    ['by a URL', async (_t, db) => ({ db })],
    ['with a MikroORM', async (t, db) => ({ orm: await ownOrm(t, db) })],
  ]
  // For those that do little but wait.
  t.jobs = 3

  on(
    'the tables are made by frozen migrations, up, down and up again, and the entities ask for nothing else',
    async (t) => {
      const db = await fresh(t)
      const sql = open(db)
      t.teardown(sql.close)
      const { orm, close } = await openDatabase({ db, name: 'accounts' })
      t.teardown(close)
      const difference = () => orm.schema.getUpdateSchemaSQL({ wrap: false, dropTables: false })
      t.equal((await difference()).trim(), '')
      await orm.migrator.down({ to: 0 })
      t.same(
        (await sql.all(tables)).map(({ name }) => name),
        ['accounts_migrations']
      )
      await orm.migrator.up()
      t.equal((await difference()).trim(), '')
      t.same(await orm.migrator.getPending(), [])
    }
  )

  on('four processes may boot at once on an empty database, and each has its accounts', async (t) => {
    const db = await fresh(t)
    const booted = await Promise.all([1, 2, 3, 4].map(() => run(process.execPath, [boot, db])))
    t.same(
      booted.map(({ stdout }) => stdout.trim()),
      ['201', '201', '201', '201']
    )
  })

  on(
    'a server that is not there, a database that is not, and a wrong password keep the app from starting, and are told without the password',
    async (t) => {
      const { protocol, hostname, port } = new URL(servers[kind])
      for (const [who, where] of [
        ['nobody', '1/nowhere'],
        ['postgres', `${port}/nowhere`],
        ['nobody', `${port}/nowhere`],
      ]) {
        const db = `${protocol}//${who}:pass%20word@${hostname}:${where}`
        const app = Fastify()
        const error = await app.register(accounts, { db, secret, password: cheap }).then(
          () => undefined,
          (error) => error
        )
        t.match(error, {
          code: 'ACCOUNTS_OPTIONS_INVALID',
          message: /db \(or ACCOUNTS_DATABASE_URL\) cannot be used, \w+:\/\/[\w.]+:\d+\/nowhere: .*\w/,
        })
        t.notMatch(
          JSON.stringify([error.message, error.stack, { ...error }, error.cause.message, { ...error.cause }]),
          /pass(%20| )word/
        )
        await app.close()
      }
    }
  )

  on('connections that the server ends are made anew, and nobody notices', async (t) => {
    const wire = await wireTo(t, await fresh(t))
    const sql = open(wire.target)
    t.teardown(sql.close)
    const { signUp, get } = await build(t, { db: wire.url })
    const { access_token: token } = await signUp()
    for (let round = 0; round < 3; round++) {
      await Promise.all(many.map(() => get('/strict', token)))
      await wire.endedBy(() => killOthers(sql))
      t.same(
        [...new Set((await Promise.all(many.map(() => get('/strict', token)))).map(({ statusCode }) => statusCode))],
        [200]
      )
    }
  })

  onSlowly('connections of an app that fall silent are ended for us, and are used no more', async (t) => {
    const wire = await wireTo(t, await fresh(t))
    const { signUp, get } = await build(t, { orm: await ownOrm(t, wire.url) }, quiet)
    const { access_token: access } = await signUp()
    const statuses = async () => [
      ...new Set((await Promise.all(many.map(() => get('/strict', access)))).map(({ statusCode }) => statusCode)),
    ]
    t.same(await statuses(), [200])
    wire.silence()
    t.same(await statuses(), [503])
    wire.speak()
    // On a slow machine a connection may be found out, and ended, only now.
    let heard = await statuses()
    for (let tries = 0; tries < 10 && heard.includes(503); tries++) heard = await statuses()
    t.same(heard, [200])
  })

  onSlowly('a request has ten seconds for all that it asks, and so has a call of a service', async (t) => {
    const wire = await wireTo(t, await fresh(t))
    const { app, signUp, get, post } = await build(t, { db: wire.url }, quiet)
    const { access_token: access, user } = await signUp()
    const asks: [name: string, delayMs: number, ask: () => Promise<unknown>][] = [
      ['a login', 900, () => post('/auth/login', { username: 'ada', password })],
      ['a strict guard', 3000, () => get('/strict', access)],
      ['a service', 900, () => app.accounts.issueTokens(user.id).catch(({ statusCode }) => ({ statusCode }))],
    ]
    for (const [name, delayMs, ask] of asks) {
      wire.delay(delayMs)
      const before = performance.now()
      t.match(await ask(), { statusCode: 503 }, name)
      t.ok(performance.now() - before < 12_000, name)
      wire.delay(0)
      await until(async () => (await get('/strict', access)).statusCode === 200)
    }
  })

  on('a server that goes away is a 503, and one that comes back is used again', async (t) => {
    const wire = await wireTo(t, await fresh(t))
    const { signUp, get, refresh } = await build(t, { db: wire.url }, quiet)
    const { access_token: access, refresh_token: token } = await signUp()
    wire.away()
    const before = performance.now()
    t.match((await get('/strict', access)).json(), { statusCode: 503, code: 'ACCOUNTS_UNAVAILABLE' })
    t.equal((await refresh(token)).statusCode, 503)
    t.ok(performance.now() - before < 5000)
    wire.back()
    t.equal((await get('/strict', access)).statusCode, 200)
    t.equal((await refresh(token)).statusCode, 200)
  })

  on('a connection that is reset amid a statement is a 503, and the process lives on', async (t) => {
    const wire = await wireTo(t, await fresh(t))
    const sql = open(wire.target)
    t.teardown(sql.close)
    const { app, signUp, get } = await build(t, { db: wire.url }, quiet)
    const { access_token: access, user } = await signUp()
    await sql.run('begin')
    await sql.run('update accounts_users set epoch = epoch')
    const lost = app.accounts.users.update(user.id, { username: 'bob' }).catch(({ statusCode }) => ({ statusCode }))
    await until(async () => (await sql.all(locked)).length > 0)
    wire.reset()
    t.match(await lost, { statusCode: 503 })
    await sql.run('rollback')
    t.equal((await get('/strict', access)).statusCode, 200)
    t.match(await app.accounts.users.update(user.id, { username: 'bob' }), { username: 'bob' })
  })

  onSlowly('connections that fall silent are a 503 in ten seconds, and are used no more', async (t) => {
    const wire = await wireTo(t, await fresh(t))
    const { app, signUp, get, refresh } = await build(t, { db: wire.url }, quiet)
    const { access_token: access, refresh_token: token } = await signUp()
    await Promise.all(many.map(() => get('/strict', access)))

    wire.silence()
    const before = performance.now()
    const answers = await Promise.all(many.map((index) => (index % 3 ? get('/strict', access) : refresh(token))))
    t.same([...new Set(answers.map(({ statusCode }) => statusCode))], [503])
    t.ok(performance.now() - before < 11_000)

    wire.speak()
    const statuses = async () => [
      ...new Set((await Promise.all(many.map(() => get('/strict', access)))).map(({ statusCode }) => statusCode)),
    ]
    // On a slow machine a connection may be found out, and ended, only now.
    let heard = await statuses()
    for (let tries = 0; tries < 10 && heard.includes(503); tries++) heard = await statuses()
    t.same(heard, [200])
    wire.silence()
    const closing = performance.now()
    await app.close()
    t.ok(performance.now() - closing < 5000, 'nor does the end of the app wait for them')
  })

  for (const [way, optionsOn] of ways) {
    on(`${way}: a clock is compared with that of the server, and with none where that is away`, async (t) => {
      const wire = await wireTo(t, await fresh(t))
      const { app } = await build(t, await optionsOn(t, wire.url), quiet)
      t.ok(Math.abs((await app.accounts.check()).clockSkewMs!) < 30_000)
      const { now } = Date
      t.teardown(() => {
        Date.now = now
      })
      Date.now = () => now() + 1_200_000
      await t.rejects(app.accounts.prune(), {
        code: 'ACCOUNTS_UNAVAILABLE',
        message: /ahead of the clock of the database$/,
      })
      t.ok(Math.abs((await app.accounts.check()).clockSkewMs! - 1_200_000) < 30_000)
      Date.now = now
      t.match(await app.accounts.prune(), { revocations: 0 })
      wire.away()
      t.match(await app.accounts.check(), { healthy: false, databaseMs: null, clockSkewMs: null })
    })

    on(`${way}: a process that begins while its clock is behind asks for tokens that the log forgot`, async (t) => {
      const db = await fresh(t)
      const sql = open(db)
      t.teardown(sql.close)
      const { now } = Date
      t.teardown(() => {
        Date.now = now
      })
      Date.now = () => now() - 1_200_000
      const { signUp, signIn, post } = await build(t, await optionsOn(t, db), quiet)
      const [ended, stays] = [await signUp(), await signIn()]
      t.equal((await post('/auth/logout', { refresh_token: ended.refresh_token })).statusCode, 204)
      await sql.run('delete from accounts_revoked_tokens')
      const { get } = await build(t, await optionsOn(t, db), quiet)
      t.match((await get('/guarded', ended.access_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
      t.equal((await get('/guarded', stays.access_token)).statusCode, 200)
    })

    onSlowly(
      `${way}: a process that falls silent in the middle of a logout does not keep others from theirs`,
      async (t) => {
        const wire = await wireTo(t, await fresh(t))
        const ill = await build(t, await optionsOn(t, wire.url), quiet)
        const healthy = await build(t, { db: wire.target })
        const [first, second] = [await ill.signUp('ada'), await ill.signUp('bob')]

        // What is asked once the row of the log is locked. Texts are heard where they are prepared, and this one is for
        // the first time.
        const silent = wire.silenceAt(/select [^\0]*\brevision\b[^\0]* from .accounts_revision/)
        const lost = ill.post('/auth/logout', { refresh_token: first.refresh_token })
        await silent
        const before = performance.now()
        let answer = await healthy.post('/auth/logout', { refresh_token: second.refresh_token })
        for (let tries = 0; tries < 10 && answer.statusCode === 503; tries++) { answer = await healthy.post('/auth/logout', { refresh_token: second.refresh_token }) }
        t.equal(answer.statusCode, 204)
        t.ok(performance.now() - before < 25_000)
        t.equal((await lost).statusCode, 503)
      }
    )

    on(`${way}: after a failover the first request has a connection that writes`, async (t) => {
      const wire = await wireTo(t, await fresh(t))
      const sql = open(wire.target)
      t.teardown(sql.close)
      const options = await optionsOn(t, wire.url)
      const { app, signUp, signIn, get, refresh } = await build(t, options, quiet)
      const { access_token: access, refresh_token: token } = await signUp()
      const writeAgain = await onlyRead(sql, (options.orm ?? app.accounts.orm) as MikroORM)
      t.teardown(writeAgain)
      await wire.endedBy(() => killOthers(sql))
      // All connections of the pool are made anew, and only read.
      await Promise.all(many.map(() => get('/strict', access)))
      t.equal((await refresh(token)).statusCode, 503)
      await Promise.all(many.map(() => get('/strict', access)))
      await writeAgain()
      t.equal((await refresh(token)).statusCode, 200)
      t.match(
        await Promise.all(many.map(() => signIn())),
        many.map(() => ({ token_type: 'Bearer' }))
      )
    })

    on(`${way}: each transaction of ours has limits of its own, and leaves none behind`, async (t) => {
      const db = await fresh(t)
      const options = await optionsOn(t, db)
      const { app, signUp, signIn } = await build(t, {
        ...options,
        hooks: {
          onRegister: async (em) => {
            seen.push((await read(em))[0])
          },
        },
      })
      const seen: unknown[] = []
      const read = (em: EntityManager) => (em as SqlEntityManager).execute(limits)
      const outside = async () => {
        const rows = await Promise.all(many.map(() => read(app.accounts.orm.em.fork() as EntityManager)))
        return [...new Set(rows.map(([row]) => JSON.stringify(row)))]
      }
      const before = await outside()
      t.equal(before.length, 1)
      await signUp()
      await Promise.all(many.map(() => signIn()))
      t.match(seen, [{ lock_s: /^9/, idle_s: /^15/ }])
      t.same(await outside(), before)
    })
  }

  on('a connection that is lost in the middle of a transaction is not missed', async (t) => {
    const db = await fresh(t)
    const { run, close } = await openDatabase({ db: `${db}?connection_limit=1`, name: 'accounts' })
    t.teardown(close)
    const sql = open(db)
    t.teardown(sql.close)
    const read = () => run((em) => em.count(Revision, { id: 1 }))

    for (let time = 0; time < 3; time++) {
      const losing = run((em) =>
        em.transactional(async (tx) => {
          await tx.nativeUpdate(Revision, { id: 1 }, { revision: time })
          await killOthers(sql)
          await tx.count(Revision)
        })
      )
      await t.rejects(losing, { code: 'ACCOUNTS_UNAVAILABLE' })
    }
    t.equal(await read(), 1)
  })

  onSlowly('a row that somebody locks makes requests wait, and is a 503 after ten seconds', async (t) => {
    const db = await fresh(t)
    const sql = open(db)
    t.teardown(sql.close)
    const { signUp, refresh, get } = await build(t, { db }, quiet)
    const { refresh_token: token, access_token: access } = await signUp()
    for (const [ms, statusCode] of [
      [500, 200],
      [Infinity, 503],
    ] as const) {
      await sql.run('begin')
      await sql.run('update accounts_sessions set ver = ver')
      let isAnswered = false
      const refreshing = refresh(token).finally(() => {
        isAnswered = true
      })
      const [answer] = await Promise.all([
        refreshing,
        get('/strict', access),
        keepFor(sql, ms, () => isAnswered).then(() => sql.run('rollback')),
      ])
      t.equal(answer.statusCode, statusCode)
      await sql.run('update accounts_sessions set answered_at = ?', new Date(0))
    }
    t.equal((await refresh(token)).statusCode, 200)
  })

  onSlowly('who waits for a connection that nobody gives back is told that it cannot be', async (t) => {
    const { orm, run, close } = await openDatabase({ db: `${await fresh(t)}?connection_limit=2`, name: 'accounts' })
    t.teardown(close)
    const read = () => run((em) => em.count(Revision, { id: 1 }))
    const { promise: release, resolve: letGo } = Promise.withResolvers<void>()
    const held: Promise<void>[] = []
    const hold = () =>
      new Promise<void>((resolve) => {
        held.push(
          orm.em.fork().transactional(async (em) => {
            await em.count(Revision)
            resolve()
            await release
          })
        )
      })
    await Promise.all([hold(), hold()])
    await t.rejects(read(), { statusCode: 503, code: 'ACCOUNTS_UNAVAILABLE' })
    letGo()
    await Promise.all(held)
    t.equal(await read(), 1)
  })

  on(
    'a process has no more connections than connection_limit, and one that listens where there are messages',
    async (t) => {
      const db = await fresh(t)
      const sql = open(db)
      t.teardown(sql.close)
      const { app } = await build(t, { db: `${db}?connection_limit=3` })
      const count = async () => (await sql.all(others)).length
      const most = kind === 'postgresql' ? 4 : 3

      const { promise: release, resolve: letGo } = Promise.withResolvers<void>()
      const held = many.map(() =>
        app.accounts.orm.em.fork().transactional(async (em) => {
          await em.count(Session)
          await release
        })
      )
      await until(async () => (await count()) === most)
      await pause(200)
      t.equal(await count(), most)
      letGo()
      await Promise.all(held)
      await app.close()
      // And none when it is closed.
      await until(async () => (await count()) === 0)
    }
  )

  on('a connection that was not used for a moment is used again', async (t) => {
    const db = await fresh(t)
    const sql = open(db)
    t.teardown(sql.close)
    const { signUp, get } = await build(t, { db })
    const { access_token: token } = await signUp()
    await Promise.all(many.map(() => get('/strict', token)))
    const ids = async () => (await sql.all(others)).map(({ id }) => id)
    const before = await ids()
    await pause(2500)
    const after = await ids()
    t.ok(
      before.filter((id) => after.includes(id)).length >= before.length - 3,
      `of ${before.length} there are ${after.length}`
    )
  })

  on('thirty logins of one user at once, which lock each other, are all let in', async (t) => {
    const { signUp, signIn } = await build(t, { db: await fresh(t) })
    await signUp()
    const logins = await Promise.all(many.map(() => signIn()))
    t.equal(new Set(logins.map(({ refresh_token: token }) => token)).size, 30)
  })

  on('times are what they are to the millisecond, wherever process and server think they are', async (t) => {
    const db = await elsewhere(await fresh(t))
    const zone = process.env.TZ
    t.teardown(() => {
      if (zone === undefined) delete process.env.TZ
      else process.env.TZ = zone
    })
    const { app, signUp, get } = await build(t, { db })
    const { access_token: token } = await signUp()
    const sql = open(db)
    t.teardown(sql.close)
    const instant = Date.UTC(2026, 2, 29, 1, 30, 0, 7)
    for (const TZ of ['Pacific/Auckland', 'America/St_Johns', 'Europe/Berlin']) {
      process.env.TZ = TZ
      await sql.run('update accounts_sessions set created_at = ?', new Date(instant))
      t.equal((await get('/auth/sessions', token)).json().sessions[0].created_at, new Date(instant).toISOString())
      const { orm } = app.accounts
      await orm.em.fork().nativeUpdate(Session, {}, { createdAt: new Date(instant + 1) })
      t.equal((await sql.get('select created_at from accounts_sessions'))!.created_at, instant + 1, TZ)
    }
  })

  on('two kinds of databases may serve one process', async (t) => {
    const file = await build(t, { db: ':memory:' })
    const server = await build(t, { db: await fresh(t) })
    const again = await build(t, { db: ':memory:' })
    for (const { signUp, signIn, get, refresh } of [file, server, again]) {
      const { user, refresh_token: token } = await signUp()
      t.match(await signIn(), { user })
      const { access_token: access } = (await refresh(token)).json()
      t.match((await get('/strict', access)).json(), { user })
    }
  })

  on('parameters of the URL are for the driver', async (t) => {
    const { signUp } = await build(t, { db: `${await fresh(t)}?${parameters}` })
    t.match(await signUp('Ada 🙂'), { user: { username: 'Ada 🙂' } })
  })

  on('values that break a unique key, and no others, are told apart', async (t) => {
    const { post, signUp } = await build(t, { db: await fresh(t) })
    await signUp()
    t.match((await post('/auth/register', { username: 'ADA', password })).json(), {
      statusCode: 409,
      code: 'ACCOUNTS_USER_EXISTS',
    })
    t.equal(
      (await post('/auth/register', { username: "o'\\neill \\'; drop table accounts_users", password })).statusCode,
      201
    )
    t.match((await post('/auth/login', { username: "O'\\NEILL \\'; drop table accounts_users", password })).json(), {
      user: { username: "o'\\neill \\'; drop table accounts_users" },
    })
  })

  on('without the driver the error says what to install', async (t) => {
    const failed = await run(process.execPath, [
      join(import.meta.dirname, '..', 'support', 'without-driver.ts'),
      servers[kind],
    ]).catch((error) => error)
    t.match(failed.stderr, new RegExp(`npm install @mikro-orm/${kind}@7\\.\\d+\\.\\d+ @mikro-orm/migrations@7`))
  })
}
