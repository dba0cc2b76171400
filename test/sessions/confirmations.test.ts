// On each database.
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createConfirmations } from '../../lib/sessions/confirmations.ts'
import type { SessionSettings } from '../../lib/sessions/options.ts'
import { sessionCounters } from '../../lib/sessions/events.ts'
import { createTelemetry } from '../../lib/events/events.ts'
import { buildOnFile, decode } from '../support/build.ts'
import { addTrigger, dropTrigger, openDatabase } from '../support/databases.ts'
import { until } from '../support/waiting.ts'

const unheard = { error () {} } as never

/** A session in its first generation after a refresh, and confirmations of our own for its row. */
async function afterRefresh (t: Test) {
  const { signUp, signIn, refresh, sql, db } = await buildOnFile(t)
  const sidOf = ({ refresh_token: token }: { refresh_token: string }): string => decode(token).payload.sid
  const sid = sidOf((await refresh((await signUp()).refresh_token)).json())
  const database = await openDatabase({ db, name: 'accounts' })
  t.teardown(database.close)
  const confirmed = () => sql.get('select confirmed_gen from accounts_sessions')
  const voided: string[] = []
  const confirmations = createConfirmations({
    database,
    telemetry: createTelemetry('accounts', sessionCounters),
    log: unheard,
    async endReused ({ id }) { voided.push(id) },
  }, { refresh: { replay: 'until-confirmed' } as SessionSettings['refresh'] })
  return { sid, sql, confirmed, voided, another: async () => sidOf(await signIn()), ...confirmations }
}

t.test('of more than ten thousand sessions at once none is remembered until the others are written', async (t) => {
  const { sid, confirmed, note, flushAll } = await afterRefresh(t)

  for (let index = 0; index < 10_000; index++) note(randomUUID(), 1)
  t.equal(note(sid, 1), false)
  await flushAll()
  t.match(await confirmed(), { confirmed_gen: 0 })
  t.equal(note(sid, 1), true)
  await flushAll()
  t.match(await confirmed(), { confirmed_gen: 1 })
})

t.test('two generations of one session may wait together, and the newer one counts', async (t) => {
  for (const gens of [[0, 1], [1, 0]]) {
    const { sid, confirmed, note, flush } = await afterRefresh(t)
    for (const gen of gens) note(sid, gen)
    await flush(sid)
    t.match(await confirmed(), { confirmed_gen: 1 })
  }
})

t.test('of a session that nobody has shown nothing is written', async (t) => {
  const { confirmed, flushAll } = await afterRefresh(t)
  await flushAll()
  t.match(await confirmed(), { confirmed_gen: 0 })
})

t.test('a generation that is known to have arrived is not noted as used again', async (t) => {
  const { sid, sql, note, flush } = await afterRefresh(t)
  const usedAt = async () => (await sql.get('select last_used_at from accounts_sessions'))!.last_used_at
  note(sid, 1)
  await flush(sid)
  const first = await usedAt()
  await pause(5)
  note(sid, 1)
  await flush(sid)
  t.equal(await usedAt(), first)
})

t.test('two writes of the same at once are no fault', async (t) => {
  const { sid, confirmed, note, flush } = await afterRefresh(t)
  note(sid, 1)
  await Promise.all([flush(sid), flush(sid)])
  t.match(await confirmed(), { confirmed_gen: 1 })
})

t.test('what is shown while a write is under way is written by the next', async (t) => {
  const { sid, sql, confirmed, note, flush } = await afterRefresh(t)
  note(sid, 1)
  const writing = flush(sid)
  note(sid, 2)
  await writing
  await sql.run('update accounts_sessions set prev_gen = 1, gen = 2')
  await flush(sid)
  t.match(await confirmed(), { confirmed_gen: 2 })
})

t.test('of sessions that are written together only that is over whose void generation was shown', async (t) => {
  const { sid, sql, voided, another, note, flushAll } = await afterRefresh(t)
  const other = await another()
  await sql.run('update accounts_sessions set prev_gen = 0, gen = 2, confirmed_gen = 0')
  note(sid, 1)
  note(other, 2)
  await flushAll()
  t.same(voided, [sid])
})

/** A session whose access token was shown, which its row cannot be told, and what the log says. */
async function whileRowsCannotChange (t: Test) {
  const lines: string[] = []
  const { signUp, refresh, get, sql, app } = await buildOnFile(
    t,
    {},
    {
      logger: {
        level: 'warn',
        stream: {
          write: (line: string) => {
            lines.push(line)
          },
        },
      },
    }
  )
  const { access_token: token } = (await refresh((await signUp()).refresh_token)).json()
  t.equal((await get('/guarded', token)).statusCode, 200)
  await addTrigger(sql, 'before update', 'accounts_sessions', 'fail')
  return {
    app,
    sql,
    told: () => lines.map((line) => JSON.parse(line).msg),
    confirmed: () => sql.get('select confirmed_gen from accounts_sessions'),
  }
}

t.test('what cannot be written waits until it can, and no request knows', async (t) => {
  const { app, sql, told, confirmed } = await whileRowsCannotChange(t)
  await until(() => told().includes('Confirmations wait for the database'))
  await dropTrigger(sql, 'accounts_sessions')
  t.equal(told().at(-1), 'Confirmations wait for the database')
  await app.close()
  t.match(await confirmed(), { confirmed_gen: 1 })
})

t.test('what cannot be written at the close is lost, and the log says so', async (t) => {
  const { app, told, confirmed } = await whileRowsCannotChange(t)
  await app.close()
  t.equal(told().at(-1), 'What was noted of sessions is lost: the database is away')
  t.match(await confirmed(), { confirmed_gen: 0 })
})
