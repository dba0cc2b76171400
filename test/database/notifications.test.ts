// In a process of its own, for 30 s: it waits, mostly.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { build } from '../support/build.ts'
import { answers, freshDatabase, open, ormOf, openDatabase } from '../support/databases.ts'
import { until } from '../support/waiting.ts'
import { wireTo } from './proxy.ts'

const skip = await answers('postgresql') ? false : 'no PostgreSQL answers'
const listening = promisify(execFile).bind(null, process.execPath)

/** Counts the messages of a channel, and waits for them. */
function createEar () {
  let count = 0
  const heard = () => count
  return {
    hear: () => { count++ },
    heard,
    async until (wanted: number) {
      await until(() => heard() >= wanted)
      return heard()
    },
  }
}

/** Two processes, as it were, on one database; the wire of the one that listens can be cut. */
async function buildTwo (t: Test) {
  const db = await freshDatabase(t, 'postgresql')
  const wire = await wireTo(t, db)
  const [near, far] = [
    await openDatabase({ db: wire.url, name: 'accounts' }),
    await openDatabase({ db, name: 'accounts' }),
  ]
  t.teardown(near.close)
  t.teardown(far.close)
  const ear = createEar()
  const stop = await near.listen!('the "channel"', ear.hear)
  t.teardown(stop)
  const say = (channel = 'the "channel"') => far.run((em) => far.notify!(em, channel))
  return { db, wire, far, ear, say, stop }
}

t.test(
  'a message is heard when the transaction is committed, and by those who listen to its channel',
  { skip },
  async (t) => {
    const { far, ear, say, stop } = await buildTwo(t)
    await far.run((em) =>
      em.transactional(async (tx) => {
        await far.notify!(tx, 'the "channel"')
        await pause(200)
        t.equal(ear.heard(), 0)
      })
    )
    t.equal(await ear.until(1), 1)
    await far
      .run((em) =>
        em.transactional(async (tx) => {
          await far.notify!(tx, 'the "channel"')
          throw new Error('rolled back')
        })
      )
      .catch(() => {})
    await say('another')
    await say()
    t.equal(await ear.until(2), 2)

    await stop()
    await say()
    await pause(200)
    t.equal(ear.heard(), 2)
  }
)

t.test('what one process revokes wakes the others, long before they would look', { skip }, async (t) => {
  const options = {
    db: await freshDatabase(t, 'postgresql'),
    revocation: { pollInterval: '60s', maxStaleness: '300s' },
  } as const
  const [here, there] = [await build(t, options), await build(t, options)]
  const { access_token: access, refresh_token: refresh } = await here.signUp()
  t.equal((await there.get('/guarded', access)).statusCode, 200)

  await here.post('/auth/logout', { refresh_token: refresh })
  const since = performance.now()
  while ((await there.get('/guarded', access)).statusCode !== 401) await pause(1)
  t.comment(`refused elsewhere after ${Math.round(performance.now() - since)} ms`)
})

t.test('who was cut off listens again, and is called once for what was missed', { skip }, async (t) => {
  const { db, wire, ear, say } = await buildTwo(t)
  const sql = open(db)
  t.teardown(sql.close)
  await sql.all(
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query ilike 'listen%'"
  )
  t.equal(await ear.until(1), 1)
  await say()
  t.equal(await ear.until(2), 2)

  wire.away()
  await pause(1000)
  wire.back()
  t.equal(await ear.until(3), 3)
  await say()
  t.equal(await ear.until(4), 4)
})

t.test('a connection that falls silent is found out, and made anew', { skip }, async (t) => {
  const { wire, ear, say } = await buildTwo(t)
  wire.silence()
  wire.speak()
  await say()
  t.equal(await ear.until(1), 1)
  await say()
  t.equal(await ear.until(2), 2)
})

t.test(
  'a server that is away when listening begins is no error, and neither is the end while it is',
  { skip },
  async (t) => {
    const { wire, stop } = await buildTwo(t)
    const { listen, close } = await openDatabase({ db: wire.url, name: 'accounts' })
    t.teardown(close)
    wire.away()
    const ear = createEar()
    const stopToo = await listen!('channel', ear.hear)
    await stop()
    wire.back()
    t.equal(await ear.until(1), 1)
    await stopToo()
  }
)

t.test('listening keeps no process alive', { skip }, async (t) => {
  const db = await freshDatabase(t, 'postgresql')
  t.match(await listening([join(import.meta.dirname, 'listening.ts'), db], {}), { stdout: 'listening\n' })
})

t.test(
  "an app's own PostgreSQL is listened to as well, unless it keeps its connections to itself",
  { skip },
  async (t) => {
    const db = await freshDatabase(t, 'postgresql')
    const empty = {
      entities: [],
      discovery: { warnWhenNoEntities: false },
      schemaGenerator: { skipTables: [/^accounts_/] },
    }
    const orm = await ormOf(db, empty)
    t.teardown(() => orm.close(true))
    const { listen, notify, run } = await openDatabase({ db: '', orm, name: 'accounts' })
    const ear = createEar()
    const stop = await listen!('channel', ear.hear)
    t.teardown(stop)
    await run((em) => notify!(em, 'channel'))
    t.equal(await ear.until(1), 1)

    const shared = await ormOf(db, {
      ...empty,
      driverOptions: (orm.em.getConnection() as unknown as { getClient: () => object }).getClient(),
    })
    const other = await openDatabase({ db: '', orm: shared, name: 'accounts' })
    t.equal(other.listen, undefined)
    await other.run((em) => other.notify!(em, 'channel'))
    t.equal(await ear.until(2), 2)
  }
)

t.test('other databases wake nobody', async (t) => {
  const { listen, notify, close } = await openDatabase({ db: ':memory:', name: 'accounts' })
  t.teardown(close)
  t.same([listen, notify], [undefined, undefined])
})
