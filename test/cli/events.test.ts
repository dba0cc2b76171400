// On each database.
import t, { type Test } from 'tap'
import { sealEvents, signIn } from '../../lib/testing.ts'
import { verifyAll } from '../../lib/cli/audit.ts'
import { buildOnFile, secret } from '../support/build.ts'
import { cli, json } from './cli.ts'

async function storing (t: Test) {
  const built = await buildOnFile(t, { events: { store: true, seal: '1h' } })
  const given = { cwd: t.testdir({}), env: { ACCOUNTS_DATABASE_URL: built.db } }
  return { ...built, given, withSecret: { ...given, env: { ...given.env, JWT_SECRET_KEY: secret } } }
}

t.test('events are listed by whom they happened to, who did it, type and time', async (t) => {
  const { app, given } = await storing(t)
  t.match(await cli(['events'], given), { code: 0, stdout: /^time +type +user +actor +reason +ip +seal$/ })
  const { user: ada } = await signIn(app, { username: 'ada', roles: ['admin'] })
  const { user: bob } = await signIn(app, 'bob')
  await app.accounts.users.disable(bob.id)
  const typesOf = async (...flags: string[]) =>
    (await json(['events', ...flags], given)).events.map(({ type }: { type: string }) => type)

  const all = await typesOf()
  t.equal(all[0], 'user-disabled')
  t.same(await typesOf('--user', 'bob'), await typesOf('--user', bob.id))
  t.ok((await typesOf('--user', 'bob')).length < all.length)
  t.same(await typesOf('--actor', 'ada'), [])
  t.same(await typesOf('--type', 'user-disabled'), ['user-disabled'])
  t.same(await typesOf('--since', '1h'), all)
  t.same(await typesOf('--since', '2099-01-01'), [])
  t.same(await typesOf('--since', '2020-01-31T08:00:00Z'), all)
  t.match((await cli(['events', '--user', ada.id], given)).stdout, ada.id)

  t.match(await cli(['events', '--limit', '1'], given), { code: 0, stdout: /There are more: --after \S+$/ })
  const { next } = await json(['events', '--limit', '1'], given)
  t.same(await typesOf('--after', next), all.slice(1))
  t.match(await json(['events', '--user', 'eve'], given), { code: 1, error: { code: 'ACCOUNTS_NOT_FOUND' } })
  for (const since of ['soon', '2026-13-01']) {
    t.match(await cli(['events', '--since', since], given), { code: 2, stderr: /^--since is a date/ })
  }
})

t.test('all seals are checked, and what is broken is told by the exit code', async (t) => {
  const { app, sql, given, withSecret } = await storing(t)
  t.match(await cli(['audit', 'verify'], withSecret), { code: 0, stdout: /0 events in 0 seals.+ is –/ })
  for (const name of ['ada', 'bob']) {
    await signIn(app, name)
    await sealEvents(app)
  }
  const { head } = await json(['audit', 'verify'], withSecret)
  t.match(await cli(['audit', 'verify', '--expect', head], withSecret), {
    code: 0, stdout: `Checked 2 events in 2 seals: nothing was changed. The last hash is ${head}.`,
  })
  t.match(await cli(['audit', 'verify', '--expect', 'x'], withSecret), { code: 1, stdout: /^No seal has the hash/ })
  t.match(await json(['audit', 'verify'], given), { code: 1, error: { code: 'ACCOUNTS_REFUSED', message: /secret/ } })

  await sql.run("update accounts_events set type = 'logout' where seal = 2")
  t.match(await cli(['audit', 'verify'], withSecret), {
    code: 1, stdout: 'Checked 1 events in 1 seals: seal 2 is broken (changed).',
  })
  t.match(await json(['audit', 'verify'], withSecret), { code: 1, whole: false, brokenAt: 2, problem: 'changed' })
})

t.test('a log of several parts is checked to its end', async (t) => {
  const whole = { whole: true, brokenAt: null, problem: null }
  const asked: object[] = []
  const parts = [
    { ...whole, entries: 20_000, seals: 40, head: 'a', next: 40 },
    { ...whole, entries: 19_500, seals: 39, head: 'b', next: 79 },
    { whole: false, brokenAt: 81, problem: 'changed' as const, entries: 500, seals: 1, head: 'c', next: null },
  ]
  const verify = async (options = {}) => { asked.push(options); return parts[asked.length - 1]! }
  t.same(await verifyAll({ verify }, 'a'), {
    whole: false, brokenAt: 81, problem: 'changed', entries: 40_000, seals: 80, head: 'c',
  })
  t.same(asked, [{ expect: 'a' }, { after: 40 }, { after: 79 }])
})
