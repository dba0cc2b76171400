// On each database.
import { randomUUID } from 'node:crypto'
import { mock } from 'node:test'
import t from 'tap'
import { createRevocations } from '../../lib/sessions/revocations.ts'
import { build, buildOnFile, decode, mint } from '../support/build.ts'

t.test(
  'each end of a session is an entry of the log, numbered in order, kept longer than any token can live',
  async (t) => {
    const { signUp, signIn, post, refresh, sql } = await buildOnFile(t, { refresh: { window: 0 } })
    const first = await signUp()
    const second = await signIn()
    await post('/auth/logout', { refresh_token: first.refresh_token })
    await refresh(second.refresh_token)
    await refresh(second.refresh_token)

    const log = await sql.all(
      'select revision, kind, subject, epoch, created_at, expires_at from accounts_revoked_tokens order by revision'
    )
    t.match(
      log,
      [first, second].map(({ access_token: token }, index) => ({
        revision: index + 1,
        kind: 'session',
        subject: decode(token).payload.sid,
        epoch: null,
      }))
    )
    t.ok(log.every((row) => row.expires_at - row.created_at >= 900_000))
    t.match(await sql.all('select id, revision from accounts_revision where id = 1'), [{ id: 1, revision: 2 }])
  }
)

t.test('twenty ends of one session at once are one entry, and of twenty sessions twenty', async (t) => {
  const { signUp, signIn, post, sql } = await buildOnFile(t)
  const { refresh_token: token } = await signUp()
  const others = await Promise.all(Array.from({ length: 20 }, () => signIn()))

  const answers = await Promise.all(
    [...others.map((tokens) => tokens.refresh_token), ...Array.from({ length: 20 }, () => token)].map((refreshToken) =>
      post('/auth/logout', { refresh_token: refreshToken })
    )
  )
  t.ok(answers.every(({ statusCode }) => statusCode === 204))
  const revisions = (await sql.all('select revision from accounts_revoked_tokens order by revision')).map(
    ({ revision }) => revision
  )
  t.same(revisions, Array.from({ length: 21 }, (_, index) => index + 1))
})

t.test('a strict guard knows an access token of a session that is not there, or of another user', async (t) => {
  const { signUp, get } = await build(t)
  const { header, payload } = decode((await signUp()).access_token)
  const bob = (await signUp('bob')).user
  for (const change of [{ sid: randomUUID() }, { sub: bob.id }, { sub: randomUUID() }]) {
    t.match((await get('/strict', mint(header, { ...payload, ...change }))).json(), {
      statusCode: 401,
      code: 'ACCOUNTS_TOKEN_REVOKED',
    })
  }
})

t.test('an access token from before a new epoch is dead, though its session goes on', async (t) => {
  const { signUp, refresh, get, sql } = await buildOnFile(t)
  const before = await signUp()
  await sql.exec('update accounts_users set epoch = 1; update accounts_sessions set ver = 1')
  const after = (await refresh(before.refresh_token)).json()
  for (const url of ['/guarded', '/strict']) {
    t.match((await get(url, before.access_token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
    t.equal((await get(url, after.access_token)).statusCode, 200)
  }
})

t.test('a user who is deleted takes the sessions along', async (t) => {
  const { signUp, refresh, get, sql } = await buildOnFile(t)
  const { access_token: access, refresh_token: token } = await signUp()
  await sql.exec('delete from accounts_users')
  t.match((await get('/guarded', access)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.match((await refresh(token)).json(), { code: 'ACCOUNTS_TOKEN_REVOKED' })
  t.equal((await sql.get('select count(*) as n from accounts_sessions'))!.n, 0)
})

t.test('what changes of a user is seen by the next request', async (t) => {
  const { signUp, get, sql } = await buildOnFile(t)
  const { access_token: token } = await signUp()
  await sql.exec("update accounts_users set roles = '[\"admin\"]', username = 'Ada L.'")
  t.match((await get('/guarded', token)).json().user, { roles: ['admin'], username: 'Ada L.' })
})

t.test(
  'a floor is known for as long as an access token lives, from when it was last read, and never falls',
  async (t) => {
    let now = 0
    mock.method(performance, 'now', () => now)
    mock.method(Date, 'now', () => now)
    t.teardown(() => mock.restoreAll())
    const revocations = createRevocations({ access: { expiresInSeconds: 900 }, leewaySeconds: 0 }, () => {})
    const read = (subject: string, epoch: number | null) =>
      revocations.apply({ kind: 'session', subject, epoch, createdAt: new Date(0) })
    const superseded = (sid: string, gen: number) => revocations.isSuperseded({ sid, gen })

    t.equal(superseded('a', 0), false)
    read('a', 2000)
    read('b', 1000)
    read('a', 1000)
    t.same(
      [
        ['a', 1999],
        ['a', 2000],
        ['b', 999],
        ['c', 0],
      ].map(([sid, gen]) => superseded(sid as string, gen as number)),
      [true, false, true, false]
    )
    t.same(['a', 'b', 'c'].map(revocations.floorOf), [2000, 1000, 0])
    now = 900_000
    read('a', 1000)
    now = 960_000
    read('d', null)
    t.same(['a', 'b', 'd'].map(revocations.floorOf), [2000, 0, Infinity])
    t.equal(revocations.count(), 2)
    now = 2_000_000
    read('e', null)
    t.same(['a', 'd', 'e'].map(revocations.floorOf), [0, 0, Infinity])
  }
)
