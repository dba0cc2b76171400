import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { openDatabase } from '../../lib/database.ts'
import { Revision } from '../../lib/entities/revision.ts'
import { Session } from '../../lib/entities/session.ts'
import accounts from '../../lib/index.ts'
import { build, cheap, password, secret } from '../build.ts'
import { answers, freshDatabase, open, servers, type Kind, type Sql } from '../databases.ts'
import { until } from '../waiting.ts'
import { wireTo } from './proxy.ts'
import { Fastify } from '../fastify.ts'

const run = promisify(execFile)
const boot = join(import.meta.dirname, '..', 'boot.ts')
const quiet = { logger: { level: 'silent' } }
const many = Array.from({ length: 30 }, (_, index) => index)

/** What a server must be asked to behave otherwise. */
interface Server {
  kind: Exclude<Kind, 'sqlite'>
  /** Ends every connection to a database but the one that asks. */
  killOthers: (sql: Sql) => Promise<unknown>
  /** The connections that others have, by `id`. */
  others: string
  /** The tables of the database at hand. */
  tables: string
  /** Makes the server think in another time zone, for this database or this connection's URL. */
  elsewhere: (db: string) => Promise<string>
  /** What the driver may be told. */
  parameters: string
}

/** All that must hold on every server. */
export async function testServer ({ kind, killOthers, others, tables, elsewhere, parameters }: Server): Promise<void> {
  const skip = await answers(kind) ? false : `no ${kind} answers at ${new URL(servers[kind]).host}`
  const on = (name: string, test: (t: Test) => unknown, buffered = false) => { t.test(`${kind}: ${name}`, { skip, buffered }, async (t) => { await test(t) }) }
  const onSlowly = (name: string, test: (t: Test) => unknown) => on(name, test, true)
  const fresh = (t: Test) => freshDatabase(t, kind)
  // For those that do little but wait.
  t.jobs = 3

  on('the tables are made by frozen migrations, up, down and up again, and the entities ask for nothing else', async (t) => {
    const db = await fresh(t)
    const sql = open(db)
    t.teardown(sql.close)
    const { orm, close } = await openDatabase({ db, name: 'accounts' })
    t.teardown(close)
    const difference = () => orm.schema.getUpdateSchemaSQL({ wrap: false, dropTables: false })
    t.equal((await difference()).trim(), '')
    await orm.migrator.down({ to: 0 })
    t.same((await sql.all(tables)).map(({ name }) => name), ['accounts_migrations'])
    await orm.migrator.up()
    t.equal((await difference()).trim(), '')
    t.same(await orm.migrator.getPending(), [])
  })

  on('four processes may boot at once on an empty database, and each has its accounts', async (t) => {
    const db = await fresh(t)
    const booted = await Promise.all([1, 2, 3, 4].map(() => run(process.execPath, [boot, db])))
    t.same(booted.map(({ stdout }) => stdout.trim()), ['201', '201', '201', '201'])
  })

  on('a server that is not there, a database that is not, and a wrong password keep the app from starting, and are told without the password', async (t) => {
    const { protocol, hostname, port } = new URL(servers[kind])
    for (const [who, where] of [['nobody', '1/nowhere'], ['postgres', `${port}/nowhere`], ['nobody', `${port}/nowhere`]]) {
      const db = `${protocol}//${who}:pass%20word@${hostname}:${where}`
      const app = Fastify()
      const error = await app.register(accounts, { db, secret, password: cheap }).then(() => undefined, (error) => error)
      t.match(error, { code: 'ACCOUNTS_OPTIONS_INVALID', message: /db \(or ACCOUNTS_DATABASE_URL\) cannot be used, \w+:\/\/[\w.]+:\d+\/nowhere: .*\w/ })
      t.notMatch(JSON.stringify([error.message, error.stack, { ...error }, error.cause.message, { ...error.cause }]), /pass(%20| )word/)
      await app.close()
    }
  })

  on('connections that the server ends are made anew, and nobody notices', async (t) => {
    const db = await fresh(t)
    const sql = open(db)
    t.teardown(sql.close)
    const { signUp, get } = await build(t, { db })
    const { access_token: token } = await signUp()
    for (let round = 0; round < 3; round++) {
      await Promise.all(many.map(() => get('/strict', token)))
      await killOthers(sql)
      await pause(100)
      t.same([...new Set((await Promise.all(many.map(() => get('/strict', token)))).map(({ statusCode }) => statusCode))], [200])
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

  onSlowly('connections that fall silent are a 503 in ten seconds, and are used no more', async (t) => {
    const wire = await wireTo(t, await fresh(t))
    const { app, signUp, get, refresh } = await build(t, { db: wire.url }, quiet)
    const { access_token: access, refresh_token: token } = await signUp()
    await Promise.all(many.map(() => get('/strict', access)))

    wire.silence()
    const before = performance.now()
    const answers = await Promise.all(many.map((index) => index % 3 ? get('/strict', access) : refresh(token)))
    t.same([...new Set(answers.map(({ statusCode }) => statusCode))], [503])
    t.ok(performance.now() - before < 11_000)

    wire.speak()
    const statuses = async () => [...new Set((await Promise.all(many.map(() => get('/strict', access)))).map(({ statusCode }) => statusCode))]
    // On a slow machine a connection may be found out, and ended, only now.
    let heard = await statuses()
    for (let tries = 0; tries < 10 && heard.includes(503); tries++) heard = await statuses()
    t.same(heard, [200])
    wire.silence()
    const closing = performance.now()
    await app.close()
    t.ok(performance.now() - closing < 5000, 'nor does the end of the app wait for them')
  })

  on('a connection that is lost in the middle of a transaction is not missed', async (t) => {
    const db = await fresh(t)
    const { run, close } = await openDatabase({ db: `${db}?connection_limit=1`, name: 'accounts' })
    t.teardown(close)
    const sql = open(db)
    t.teardown(sql.close)
    const read = () => run((em) => em.count(Revision))

    for (let time = 0; time < 3; time++) {
      const losing = run((em) => em.transactional(async (tx) => {
        await tx.nativeUpdate(Revision, { id: 1 }, { revision: time })
        await killOthers(sql)
        await tx.count(Revision)
      }))
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
    for (const [ms, statusCode] of [[500, 200], [11_000, 503]] as const) {
      await sql.run('begin')
      await sql.run('update accounts_sessions set ver = ver')
      const [answer] = await Promise.all([refresh(token), get('/strict', access), pause(ms).then(() => sql.run('rollback'))])
      t.equal(answer.statusCode, statusCode)
      await sql.run('update accounts_sessions set answered_at = ?', new Date(0))
    }
    t.equal((await refresh(token)).statusCode, 200)
  })

  onSlowly('who waits for a connection that nobody gives back is told that it cannot be', async (t) => {
    const { orm, run, close } = await openDatabase({ db: `${await fresh(t)}?connection_limit=2`, name: 'accounts' })
    t.teardown(close)
    const read = () => run((em) => em.count(Revision))
    const hold = () => orm.em.fork().transactional(async (em) => { await em.count(Revision); await pause(11_000) })
    const held = [hold(), hold()]
    await pause(200)
    await t.rejects(read(), { statusCode: 503, code: 'ACCOUNTS_UNAVAILABLE' })
    await Promise.all(held)
    t.equal(await read(), 1)
  })

  on('a process has no more connections than connection_limit, and one that listens where there are messages', async (t) => {
    const db = await fresh(t)
    const sql = open(db)
    t.teardown(sql.close)
    const { app } = await build(t, { db: `${db}?connection_limit=3` })
    const count = async () => (await sql.all(others)).length
    const most = kind === 'postgresql' ? 4 : 3

    const { promise: release, resolve: letGo } = Promise.withResolvers<void>()
    const held = many.map(() => app.accounts.orm.em.fork().transactional(async (em) => {
      await em.count(Session)
      await release
    }))
    await until(async () => await count() === most)
    await pause(200)
    t.equal(await count(), most)
    letGo()
    await Promise.all(held)
    await app.close()
    // And none when it is closed.
    await until(async () => await count() === 0)
  })

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
    t.ok(before.filter((id) => after.includes(id)).length >= before.length - 3, `of ${before.length} there are ${after.length}`)
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
    t.teardown(() => { process.env.TZ = zone ?? '' })
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
    t.match((await post('/auth/register', { username: 'ADA', password })).json(), { statusCode: 409, code: 'ACCOUNTS_USER_EXISTS' })
    t.equal((await post('/auth/register', { username: "o'\\neill \\'; drop table accounts_users", password })).statusCode, 201)
    t.match((await post('/auth/login', { username: "O'\\NEILL \\'; drop table accounts_users", password })).json(), { user: { username: "o'\\neill \\'; drop table accounts_users" } })
  })

  on('without the driver the error says what to install', async (t) => {
    const failed = await run(process.execPath, [join(import.meta.dirname, '..', 'without-driver.ts'), servers[kind]]).catch((error) => error)
    t.match(failed.stderr, new RegExp(`npm install @mikro-orm/${kind}@7\\.\\d+\\.\\d+ @mikro-orm/migrations@7`))
  })
}
