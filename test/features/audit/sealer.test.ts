// On each database.
import t, { type Test } from 'tap'
import { sealEvents, signIn } from '../../../lib/testing.ts'
import { buildOnFile } from '../../support/build.ts'
import { addTrigger, dropTrigger, kind, type Row } from '../../support/databases.ts'
import { settle, until } from '../../support/waiting.ts'

/** An app that is ready and seals once a second, the lines of its log, and its table of seals. */
async function sealing (t: Test) {
  const lines: Row[] = []
  const stream = { write: (line: string) => { lines.push(JSON.parse(line)) } }
  const built = await buildOnFile(t, { events: { store: true, seal: '1s' } }, { logger: { level: 'warn', stream } })
  await built.app.ready()
  return {
    ...built,
    refusals: () => lines.filter(({ msg }) => msg === 'Events could not be sealed').length,
    seals: () => built.sql.all('select * from accounts_seals'),
  }
}

t.test('what the database refuses to seal is logged and tried again, and sealed once it takes it', async (t) => {
  const { app, sql, refusals, seals } = await sealing(t)
  await addTrigger(sql, 'before insert', 'accounts_seals', 'fail')
  await signIn(app, 'ada')
  await until(() => refusals() >= 2)
  t.same(await seals(), [])
  t.match(await sql.all('select seal from accounts_events'), [{ seal: null }], 'nothing of it is half sealed')

  await dropTrigger(sql, 'accounts_seals')
  await until(async () => (await seals()).length > 0)
  t.match(await app.accounts.events.verify(), { whole: true, seals: 1, entries: 1 })
})

/** The timers that sealers begin from now on, until the test ends: they ring when the test says so. */
function sealersTimers (t: Test): { ring: () => void }[] {
  const timers: { ring: () => void }[] = []
  const { setTimeout: usual } = globalThis
  t.teardown(() => { globalThis.setTimeout = usual })
  globalThis.setTimeout = Object.assign((ring: () => void, ms?: number) => {
    const caller = new Error().stack!.split('\n')[2]!
    if (!caller.includes('features/audit/sealer.ts')) return usual(ring, ms)
    timers.push({ ring })
    return usual(() => {}, ms)
  }, usual) as typeof usual
  return timers
}

t.test('an app that is closed while events are sealed ends that, and seals no more', async (t) => {
  const timers = sealersTimers(t)
  const { app, sql, seals } = await sealing(t)
  await signIn(app, 'ada')
  await sql.exec(kind === 'sqlite' ? 'begin immediate' : 'begin')
  await sql.run('update accounts_revision set revision = revision')
  timers[0]!.ring()
  const closed = app.close()
  await settle()
  await sql.exec('rollback')
  await closed
  t.match(await seals(), [{ seq: 1, entries: 1 }])
  t.equal(timers.length, 1, 'it does not begin another')
})

t.test('an app is closed while its events are refused', async (t) => {
  const { app, sql, seals } = await sealing(t)
  await addTrigger(sql, 'before insert', 'accounts_seals', 'fail')
  await signIn(app, 'ada')
  const work = t.rejects(sealEvents(app), { code: 'ACCOUNTS_CONSTRAINT_VIOLATED' })
  await app.close()
  await work
  t.same(await seals(), [])
})

t.test('an app seals from when it is ready, and has no sealer where it stores or seals no events', async (t) => {
  const timers = sealersTimers(t)
  for (const events of [{ store: false }, { store: true, seal: false }] as const) {
    const { app, sql } = await buildOnFile(t, { events })
    await app.ready()
    await signIn(app, 'ada')
    await t.rejects(sealEvents(app), { code: 'ACCOUNTS_OPTIONS_INVALID' })
    t.equal((await sql.all('select id from accounts_events where seal is null and personal is null')).length,
      events.store ? 1 : 0)
  }
  const { app } = await buildOnFile(t, { events: { store: true } })
  t.equal(timers.length, 0)
  await app.ready()
  t.equal(timers.length, 1)
})
