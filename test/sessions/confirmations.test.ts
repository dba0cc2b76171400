import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { openDatabase } from '../../lib/database.ts'
import { createConfirmations } from '../../lib/sessions/confirmations.ts'
import { buildOnFile, decode } from '../build.ts'
import { addTrigger, dropTrigger } from '../databases.ts'

const unheard = { error () {} } as never

/** A session in its first generation after a refresh, and confirmations of our own for its row. */
async function afterRefresh (t: Test) {
  const { signUp, refresh, sql, db } = await buildOnFile(t)
  const { sid } = decode((await refresh((await signUp()).refresh_token)).json().refresh_token).payload
  const database = await openDatabase({ db, name: 'accounts' })
  t.teardown(database.close)
  const confirmed = () => sql.get('select confirmed_gen from accounts_sessions')
  return { sid, confirmed, ...createConfirmations(database, unheard, async () => {}) }
}

t.test('of more than a thousand sessions at once none is remembered until the others are written', async (t) => {
  const { sid, confirmed, note, flushAll } = await afterRefresh(t)

  for (let index = 0; index < 1000; index++) note(randomUUID(), 1)
  note(sid, 1)
  await flushAll()
  t.match(await confirmed(), { confirmed_gen: 0 })
  note(sid, 1)
  await flushAll()
  t.match(await confirmed(), { confirmed_gen: 1 })
})

t.test('two generations of one session may wait together, and the newer one counts', async (t) => {
  const { sid, confirmed, note, flush } = await afterRefresh(t)
  note(sid, 0)
  note(sid, 1)
  await flush(sid)
  t.match(await confirmed(), { confirmed_gen: 1 })
})

t.test('what cannot be written waits until it can, and no request knows', async (t) => {
  const { signUp, refresh, get, sql, app } = await buildOnFile(t, {}, { logger: { level: 'silent' } })
  const { access_token: token } = (await refresh((await signUp()).refresh_token)).json()
  t.equal((await get('/guarded', token)).statusCode, 200)
  await addTrigger(sql, 'before update', 'accounts_sessions', 'fail')
  await pause(1500)
  await dropTrigger(sql, 'accounts_sessions')
  await app.close()
  t.match(await sql.get('select confirmed_gen from accounts_sessions'), { confirmed_gen: 1 })
})
