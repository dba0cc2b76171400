// On each database.
// In a process of its own, for 15 s: it starts others.
// With more rounds in trials.
import { fork, type ChildProcess } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { mock } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createSpent } from '../../lib/one-time/spent.ts'
import { buildOnFile } from '../support/build.ts'
import { freshDatabase, open, openDatabase, withFewConnections } from '../support/databases.ts'
import { rounds } from '../support/rounds.ts'

const later = () => new Date(Date.now() + 300_000)

/** A database, what is spent in it, and a way to look behind. */
async function openSpent (t: Test) {
  const db = await freshDatabase(t)
  const database = await openDatabase({ db, name: 'accounts' })
  t.teardown(database.close)
  const sql = open(db)
  t.teardown(() => sql.close())
  const { spend } = createSpent(database)
  return {
    db,
    database,
    sql,
    spend,
    once: (kind: string, value: string) => database.transaction((tx) => spend(tx, kind, value, later())),
  }
}

async function startSpender (t: Test, db: string): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, 'spender.ts'), [withFewConnections(db)], { execArgv: [] })
  t.teardown(async () => {
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  })
  await once(child, 'message')
  return child
}

t.test('a value is used once, and the database holds no more of it than a hash', async (t) => {
  const { once, sql } = await openSpent(t)
  t.same([await once('ticket', 'one'), await once('ticket', 'one')], [true, false])
  t.equal(await once('challenge', 'one'), true, 'as another kind it is another value')
  t.equal(await once('ticket', 'two'), true)
  const rows = await sql.all('select id from accounts_spent')
  const hashes = ['ticket\0one', 'ticket\0two', 'challenge\0one'].map((text) =>
    createHash('sha256').update(text).digest('hex'))
  t.same(rows.map(({ id }) => id).sort(), hashes.sort())
})

t.test('what is rolled back has used nothing, and who waited meanwhile is first', async (t) => {
  const { database, spend, once } = await openSpent(t)
  const { promise: isUsed, resolve: tellOfUse } = Promise.withResolvers<void>()
  const { promise: isWaiting, resolve: goOn } = Promise.withResolvers<void>()
  let tries = 0
  const failing = database.transaction(async (tx) => {
    tries++
    t.equal(await spend(tx, 'ticket', 'one', later()), true)
    t.equal(await spend(tx, 'ticket', 'one', later()), false)
    tellOfUse()
    await isWaiting
    throw Object.assign(new Error('no'), { code: 'ACCOUNTS_PROOF_INVALID' })
  })
  // Not before: InnoDB may take two that insert the same for a deadlock, and have the first try again.
  await Promise.race([isUsed, failing])
  const waiting = once('ticket', 'one')
  // Until it waits for the lock, where the database has one of a row.
  await pause(100)
  goOn()
  await t.rejects(failing, { code: 'ACCOUNTS_PROOF_INVALID' })
  t.equal(tries, 1)
  t.equal(await waiting, true)
  t.equal(await once('ticket', 'one'), false)
})

t.test('of many who use one value at once, in four processes, one is first', async (t) => {
  const { db, sql } = await openSpent(t)
  const spenders = await Promise.all(Array.from({ length: 4 }, () => startSpender(t, db)))
  for (let round = 0; round < rounds(5, 100); round++) {
    const value = randomUUID()
    const wins = await Promise.all(spenders.map(async (spender) => {
      const answer = once(spender, 'message')
      spender.send({ value, times: 8 })
      const [count] = await answer as [number]
      return count
    }))
    t.equal(wins.reduce((sum, count) => sum + count), 1)
    t.equal((await sql.get('select count(*) as n from accounts_spent'))!.n, round + 1)
  }
})

t.test('what was used is forgotten once it is over, by any clock', async (t) => {
  const { app, sql } = await buildOnFile(t)
  await sql.run('insert into accounts_spent values (?, ?)', 'a'.repeat(64), later())
  mock.timers.enable({ apis: ['Date'], now: Date.now() + 300_000 })
  t.teardown(() => mock.timers.reset())
  t.match(await app.accounts.prune(), { spent: 0 }, 'a clock may be behind')
  mock.timers.tick(61_000)
  t.match(await app.accounts.prune(), { spent: 1 })
  t.equal((await sql.get('select count(*) as n from accounts_spent'))!.n, 0)
})
