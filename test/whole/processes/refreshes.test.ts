// On each database.
// In a process of its own, for 10 s: it starts others, which race.
// With more rounds in trials.
import { generateKeyPairSync } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { decode, mint, password, refreshKey } from '../../support/build.ts'
import { freshDatabase, open } from '../../support/databases.ts'
import { until } from '../../support/waiting.ts'
import { startServers, type Answer, type Server } from './process.ts'
import { createChance, rounds } from '../../support/rounds.ts'
import { checkRows } from './rows.ts'

const db = await freshDatabase(t)
const servers = await startServers(t, 4, { db })
const [first] = servers as [Server]
const sql = open(db)
t.teardown(() => sql.close())
const chance = createChance(t)

let count = 0
/** Somebody new, who is signed in. */
async function signUp () {
  const username = `user${count++}`
  const { body: { access_token: access, refresh_token: refresh, user } } = await first.register(username)
  return { username, access: access as string, refresh: refresh as string, id: user.id as string }
}

/** Makes the last answer of every session older than the window in which a spent token is answered. */
function letTheWindowPass (): Promise<void> {
  return sql.run('update accounts_sessions set answered_at = ?', new Date(Date.now() - 31_000))
}

/** The very token as it would be had it been issued two windows ago: its time is signed, and stands in no row. */
function aged (token: string): string {
  const { header, payload } = decode(token)
  return mint(header, { ...payload, iat: payload.iat - 62, exp: payload.exp - 62 }, refreshKey)
}

/** The same token, many times at once in all processes, each a little later than another. */
function refreshEverywhere (token: string, times: number): Promise<Answer[]> {
  return Promise.all(
    servers.flatMap((server) => Array.from({ length: times }, () => soon(() => server.refresh(token))))
  )
}

/** Within the next milliseconds, so that not always the same is first. */
async function soon<Result> (act: () => Promise<Result>): Promise<Result> {
  await pause(chance.below(8))
  return act()
}

const statuses = (answers: Answer[]) => [...new Set(answers.map(({ status }) => status))].sort()
const granted = (answers: Answer[]) => answers.filter(({ status }) => status === 200).map(({ body }) => body)
const refreshTokens = (answers: Answer[]) => [...new Set(granted(answers).map((body) => body.refresh_token as string))]
const generations = (answers: Answer[]) => [
  ...new Set(refreshTokens(answers).map((token) => decode(token).payload.gen as number)),
]

/** What each process says of these tokens when all is over: the statuses, from the session's row. */
async function whatWorks (refresh: string[], access: string[]) {
  const refreshed = await Promise.all(servers.flatMap((server) => refresh.map((token) => server.refresh(token))))
  const entered = await Promise.all(servers.flatMap((server) => access.map((token) => server.lets(token, '/strict'))))
  return { refreshed: statuses(refreshed), entered: [...new Set(entered)].sort() }
}

t.test(
  'of a hundred refreshes of one token at once one moves the session, and no two are given the same token',
  async (t) => {
    let { refresh: token, id } = await signUp()
    for (let round = 1; round <= rounds(2, 60); round++) {
      await letTheWindowPass()
      const answers = await Promise.all(
        servers.flatMap((server) => Array.from({ length: 25 }, () => server.refresh(token)))
      )
      t.same(statuses(answers), [200])
      t.equal(refreshTokens(answers).length, 100, 'each is one of its kind')
      t.ok(
        refreshTokens(answers).every(
          (one) => decode(one).payload.gen === round && decode(one).payload.pa.br === decode(token).payload.br
        ),
        'of one generation'
      )
      t.match(await sql.get('select gen, prev_gen, prev_branch from accounts_sessions where user_id = ?', id), {
        gen: round,
        prev_gen: round - 1,
        prev_branch: decode(token).payload.br,
      })
      token = aged(chance.pick(refreshTokens(answers)))
    }
  }
)

t.test('two windows later any one of the siblings goes on, and whichever comes second ends the session', async (t) => {
  for (let round = 0; round < rounds(1, 60); round++) {
    const { refresh: token, id } = await signUp()
    const siblings = refreshTokens(await refreshEverywhere(token, 25))
    t.equal(siblings.length, 100)
    await letTheWindowPass()
    const line = chance.pick(siblings)
    const next = await chance.pick(servers).refresh(aged(line))
    t.equal(next.status, 200)
    t.match(await chance.pick(servers).refresh(aged(chance.pick(siblings.filter((one) => one !== line)))), {
      status: 401,
      body: { code: 'ACCOUNTS_REFRESH_REUSED' },
    })
    t.match(await sql.get('select revoke_reason from accounts_sessions where user_id = ?', id), {
      revoke_reason: 'reuse',
    })
    t.same(await whatWorks([...siblings.slice(0, 5), next.body.refresh_token], [next.body.access_token]), {
      refreshed: [401],
      entered: [401],
    })
  }
})

t.test('of siblings that come at once, two windows later, one goes on and the session is over', async (t) => {
  for (let round = 0; round < rounds(1, 30); round++) {
    const { refresh: token, id } = await signUp()
    const siblings = refreshTokens(await refreshEverywhere(token, 1))
    await letTheWindowPass()
    const answers = await Promise.all(
      siblings.map((sibling, index) => soon(() => servers[index]!.refresh(aged(sibling))))
    )
    t.equal(granted(answers).length, 1)
    t.match(await sql.get('select revoke_reason, gen from accounts_sessions where user_id = ?', id), {
      revoke_reason: 'reuse',
      gen: 2,
    })
    t.same(
      await whatWorks(
        refreshTokens(answers),
        granted(answers).map((body) => body.access_token)
      ),
      { refreshed: [401], entered: [401] }
    )
  }
})

t.test('where no two signatures are alike it is no different', async (t) => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const signing = await startServers(t, 2, {
    db,
    secret: { private: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string },
  })
  const { body } = await signing[0]!.register('signed')
  const answers = await Promise.all(
    signing.flatMap((server) => Array.from({ length: 25 }, () => server.refresh(body.refresh_token)))
  )

  t.equal(new Set(refreshTokens(answers).map((token) => decode(token).payload.br)).size, 50)
  t.same([...new Set(refreshTokens(answers).map((token) => decode(token).payload.gen))], [1])
})

t.test('after a logout nothing of the session works, whatever raced it', async (t) => {
  let overtaken = 0
  for (let round = 0; round < rounds(1, 60); round++) {
    const { refresh, access } = await signUp()
    const [logout, answers] = await Promise.all([
      soon(() => chance.pick(servers).logout(refresh)),
      refreshEverywhere(refresh, 3),
    ])
    t.equal(logout.status, 204)
    t.ok(statuses(answers).every((status) => [200, 401].includes(status)), 'refreshed or refused')
    t.ok(generations(answers).length <= 1, 'one generation for all')
    const works = await whatWorks(
      [refresh, ...refreshTokens(answers)],
      [access, ...granted(answers).map((body) => body.access_token)]
    )
    t.same(works, { refreshed: [401], entered: [401] })
    overtaken += granted(answers).length
  }
  t.comment(`${overtaken} refreshes came before the logout`)
})

t.test(
  'after the password was given again no earlier token of the session works, and the new ones do, whatever raced it',
  async (t) => {
    for (let round = 0; round < rounds(1, 60); round++) {
      const { refresh, access, id } = await signUp()
      const prove = () => soon(() => chance.pick(servers).ask('POST', '/auth/reauthenticate', access, { password }))
      const [proved, other, own] = await Promise.all([prove(), prove(), refreshEverywhere(refresh, 2)])
      t.same([proved.status, other.status].sort(), [200, 401], 'one of two proofs by one token')
      t.ok(
        statuses(own).every((status) => [200, 401].includes(status)),
        'refreshed or refused'
      )
      const { refresh_token: next, access_token: fresh } = granted([proved, other])[0]!
      t.same(await whatWorks([next], [fresh]), { refreshed: [200], entered: [200] })
      t.same(
        await whatWorks([refresh, ...refreshTokens(own)], [access, ...granted(own).map((body) => body.access_token)]),
        { refreshed: [401], entered: [401] }
      )
      t.match(
        await sql.get('select revoke_reason from accounts_sessions where user_id = ?', id),
        { revoke_reason: null },
        'and they end nothing'
      )
    }
  }
)

t.test('a commit that was lost is adopted, whatever races it', async (t) => {
  for (let round = 0; round < rounds(1, 60); round++) {
    const { refresh: spent, id } = await signUp()
    const { refresh_token: next } = (await chance.pick(servers).refresh(spent)).body
    await sql.run(
      'update accounts_sessions set gen = 0, prev_gen = null, prev_branch = null, confirmed_gen = 0 where user_id = ?',
      id
    )
    const answers = await Promise.all(
      [next, spent].flatMap((token) => servers.map((server) => soon(() => server.refresh(token))))
    )
    t.same(statuses(answers), [200])
    t.same(generations(answers), [1])
    t.match(await sql.get('select gen, prev_gen, prev_branch from accounts_sessions where user_id = ?', id), {
      gen: 1,
      prev_gen: 0,
      prev_branch: decode(spent).payload.br,
    })
  }
})

t.test('after a password change only the session that asked goes on, whatever raced it', async (t) => {
  for (let round = 0; round < rounds(1, 60); round++) {
    const { username, refresh, access } = await signUp()
    const next = `${password} ${round}`
    const other = (await first.login(username)).body
    const [change, own, others, login] = await Promise.all([
      soon(() =>
        chance.pick(servers).ask('PUT', '/auth/password', access, { current_password: password, new_password: next })
      ),
      refreshEverywhere(refresh, 2),
      refreshEverywhere(other.refresh_token, 1),
      soon(() => chance.pick(servers).login(username)),
    ])
    t.equal(change.status, 200)
    t.ok(statuses(own).every((status) => [200, 401].includes(status)), 'refreshed or refused')

    t.same(await whatWorks([change.body.refresh_token], [change.body.access_token]), {
      refreshed: [200],
      entered: [200],
    })
    const over = [other, ...granted([...own, ...others, login])]
    const works = await whatWorks(
      [refresh, ...over.map((body) => body.refresh_token)],
      [access, ...over.map((body) => body.access_token)]
    )
    t.same(works, { refreshed: [401], entered: [401] })
    t.same([(await first.login(username)).status, (await first.login(username, next)).status], [401, 200])
  }
})

for (const end of ['disable', 'delete'] as const) {
  t.test(`after a ${end} of a user nothing of theirs works, whatever raced it`, async (t) => {
    for (let round = 0; round < rounds(1, 60); round++) {
      const { username, id, refresh, access } = await signUp()
      const [ended, answers, login] = await Promise.all([
        soon(() => chance.pick(servers).ask('POST', `/${end}/${id}`)),
        refreshEverywhere(refresh, 3),
        soon(() => chance.pick(servers).login(username)),
      ])
      t.equal(ended.status, 200)
      const all = granted([...answers, login])
      const works = await whatWorks(
        [refresh, ...all.map((body) => body.refresh_token)],
        [access, ...all.map((body) => body.access_token)]
      )
      t.same(works, { refreshed: [401], entered: [401] })
      t.equal((await first.login(username)).status, 401)
    }
  })
}

t.test('a generation that was shown is never made void, and one that is void is never good', async (t) => {
  const won = { shown: 0, void: 0 }
  for (let round = 0; round < rounds(1, 60); round++) {
    const { refresh: lost, id } = await signUp()
    const { access_token: access, refresh_token: arrived } = (await first.refresh(lost)).body
    await letTheWindowPass()

    // A process that was shown the first generation writes that down, while others are told that it never came.
    const [shows, ...others] = chance.below(2) ? servers : servers.toReversed()
    t.equal(await shows!.lets(access), 200)
    const [shown, ...skips] = await Promise.all([
      soon(() => shows!.refresh(aged(arrived))),
      ...others.map((server) => soon(() => server.refresh(lost))),
    ])
    t.ok(generations([shown, ...skips]).length <= 1, 'there is one living generation')
    if (shown.status === 200) won.shown++
    else won.void++

    const row = await sql.get(
      'select prev_gen, confirmed_gen, gen, revoke_reason from accounts_sessions where user_id = ?',
      id
    )
    t.match(row, shown.status === 200 ? { prev_gen: 1, confirmed_gen: 1 } : { revoke_reason: 'reuse' })
    t.same(await whatWorks([lost, arrived, ...refreshTokens([shown, ...skips])], [access]), {
      refreshed: [401],
      entered: [401],
    })
  }
  t.comment(`shown first: ${won.shown}, made void first: ${won.void}`)
})

t.test('what one process is shown, and others take for lost, ends the session', async (t) => {
  const told = { void: 0, shown: 0 }
  await Promise.all(Array.from({ length: rounds(6, 60) }, async () => {
    const { refresh: lost, id } = await signUp()
    const { access_token: access } = (await first.refresh(lost)).body
    await sql.run('update accounts_sessions set answered_at = ? where user_id = ?', new Date(Date.now() - 31_000), id)

    // What is shown is written within about a second: some are told before then that it never came, some after.
    const [shows, other] = chance.below(2) ? servers : servers.toReversed()
    t.equal(await shows!.lets(access), 200)
    await pause(chance.below(1200))
    const skip = await other!.refresh(lost)
    told[skip.status === 200 ? 'void' : 'shown']++
    await until(
      async () =>
        (await sql.get('select revoke_reason from accounts_sessions where user_id = ?', id))!.revoke_reason === 'reuse'
    )
    t.same(await whatWorks([lost, ...refreshTokens([skip])], [access]), { refreshed: [401], entered: [401] })
  }))
  t.comment(`made void first: ${told.void}, shown first: ${told.shown}`)
})

t.test('and no row is half moved', (t) => checkRows(t, sql))
