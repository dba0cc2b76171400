// On each database.
// In a process of its own, for 60 s: it starts others.
// With more rounds in trials.
import t from 'tap'
import { softPasskey } from '../../../lib/testing.ts'
import { rounds } from '../../support/rounds.ts'
import { crowd, refusals, startRace, winners } from '../factors/race.ts'
import { buildWithPasskeys, origin, passkeys } from './with-passkeys.ts'

const built = await buildWithPasskeys(t)
const { add, ask, assertion, byPassword, login, send, signUp, sql } = built
const race = await startRace(t, built.db, { passkeys })

const count = async (table: string, where = '1 = 1') =>
  Number((await sql.get(`select count(*) as n from accounts_${table} where ${where}`))!.n)

/** What there is before and after: a request that is refused has changed none of it. */
const rows = async () => ({ sessions: await count('sessions'), spent: await count('spent') })

/** Somebody with a passkey that is kept on one device or several, and counts its signatures or not. */
async function signUpWith (username: string, kind: { synced?: boolean, counts?: boolean } = {}) {
  const key = softPasskey({ origin, ...kind })
  const { access_token: token, user } = await signUp(username)
  await add(key, token)
  return { key, user, ticketOf: async () => (await byPassword(username)).json().ticket as string }
}

const kinds = [{ counts: false }, { synced: true }, { counts: true }]

t.test('of many who show one signature at a login at once one comes in', async (t) => {
  for (const [index, kind] of kinds.entries()) {
    const { key } = await signUpWith(`login${index}`, kind)
    for (let round = 0; round < rounds(1, 50); round++) {
      const credential = await assertion(key, { for: 'login' })
      const before = await rows()
      const answers = await race(Array.from({ length: crowd }, () => ({ url: '/passkeys/login', payload: { credential } })))
      t.equal(winners(answers), 1)
      t.same(refusals(answers), ['ACCOUNTS_PASSKEY_INVALID'])
      t.same(await rows(), { sessions: before.sessions + 1, spent: before.spent + 1 })
    }
  }
})

t.test('of many who show one signature after a password at once one comes in', async (t) => {
  for (const [index, kind] of kinds.entries()) {
    const { key, ticketOf } = await signUpWith(`factor${index}`, kind)
    for (let round = 0; round < rounds(1, 50); round++) {
      const ticket = await ticketOf()
      const payload = { ticket, credential: await assertion(key, { for: 'factor', ticket }) }
      const before = await rows()
      const answers = await race(Array.from({ length: crowd }, () => ({ url: '/factors/verify', payload })))
      t.equal(winners(answers), 1)
      t.ok(refusals(answers).every((code) => ['ACCOUNTS_TOKEN_REVOKED', 'ACCOUNTS_PASSKEY_INVALID'].includes(code)),
        `${refusals(answers)}`)
      t.same(await rows(), { sessions: before.sessions + 1, spent: before.spent + 2 }, 'the ticket and the challenge')
    }
  }
})

t.test('of many signatures with one ticket at once one comes in, and the others are not burnt', async (t) => {
  const { key, user, ticketOf } = await signUpWith('grace', { counts: true })
  for (let round = 0; round < rounds(1, 50); round++) {
    const ticket = await ticketOf()
    const credentials = []
    while (credentials.length < crowd) credentials.push(await assertion(key, { for: 'factor', ticket }))
    const before = await rows()
    const answers = await race(credentials.map((credential) => ({ url: '/factors/verify', payload: { ticket, credential } })))
    t.equal(winners(answers), 1)
    t.same(refusals(answers), ['ACCOUNTS_TOKEN_REVOKED'])
    t.same(await rows(), { sessions: before.sessions + 1, spent: before.spent + 2 })
    const stored = await sql.get(`select sign_count from accounts_passkeys where user_id = '${user.id}'`)
    t.equal(Number(stored!.sign_count), countOf(credentials[answers.indexOf('in')]!), 'that of the winner')
  }
})

t.test('of two who take the last two passkeys away at once one does', async (t) => {
  for (let round = 0; round < rounds(1, 50); round++) {
    const username = `eve${round}`
    const keys = [softPasskey({ origin }), softPasskey({ origin })]
    const { options, enrolment } = await ask({ for: 'register', username })
    const { access_token: first, user } = (await send('POST', '/register', undefined, {
      username, enrolment, credential: keys[0]!.create(options),
    })).json()
    await add(keys[1]!, first)
    const ids = await sql.all(`select id from accounts_passkeys where user_id = '${user.id}'`)
    const tokens = await Promise.all(keys.map(async (key) => (await login(key)).json().access_token as string))

    const answers = await race(ids.map(({ id }, index) => ({
      method: 'DELETE', url: `/passkeys/${id}`, token: tokens[index]!,
    })))
    t.equal(winners(answers), 1)
    t.ok(['ACCOUNTS_LAST_CREDENTIAL', 'ACCOUNTS_TOKEN_REVOKED'].includes(refusals(answers)[0]!), `${refusals(answers)}`)
    t.equal(await count('passkeys', `user_id = '${user.id}'`), 1)
    const entered = await Promise.all(keys.map(async (key) => (await login(key)).statusCode))
    t.same(entered.sort(), [200, 401], 'the one that is left signs in')
  }
})

/** The counter that an authenticator has signed (WebAuthn L3 §6.1). */
function countOf ({ response }: { response: Record<string, unknown> }): number {
  return Buffer.from(response.authenticatorData as string, 'base64url').readUInt32BE(33)
}
