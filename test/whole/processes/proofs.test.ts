// On each database.
// In a process of its own, for 20 s: it starts others.
// With more rounds in trials.
import t from 'tap'
import { identifierKey } from '../../../lib/users/identifiers.ts'
import { freshDatabase, open } from '../../support/databases.ts'
import { createChance, rounds } from '../../support/rounds.ts'
import { until } from '../../support/waiting.ts'
import { startMailbox } from './mailbox.ts'
import { startServers, type Answer, type Server } from './process.ts'

const chance = createChance(t)
const password = 'a long password'
/** The one that Ada has. */
let current = password
const address = 'ada@example.com'

const mailbox = await startMailbox(t)
const db = await freshDatabase(t)
const options = { mail: mailbox.mail, email: { verification: 'none' }, events: { store: true } } as const
const servers = await startServers(t, 3, { db, ...options })
const sql = open(db)
t.teardown(() => sql.close())
await say('/register', { username: 'ada', email: address, password })

t.test('of 50 who show one proof at once, in three processes, one comes through', async (t) => {
  for (let round = 0; round < rounds(2, 36); round++) {
    const { challenge, mail } = await forgotten()
    const proof = round % 2 ? { token: mail.token } : { challenge_id: challenge, code: mail.code }
    const answers = await Promise.all(Array.from({ length: round % 2 ? 50 : 5 }, (_, index) =>
      say('/password/reset', { ...proof, new_password: `${password} ${round} ${index}` }, index)))
    t.same(statuses(answers).filter((status) => status !== 400), [204])
    const winner = answers.findIndex(({ status }) => status === 204)
    current = `${password} ${round} ${winner}`
    t.equal((await say('/login', { username: 'ada', password: current })).status, 200)
  }
})

t.test('of 50 wrong guesses at one code at once, in three processes, five are judged', async (t) => {
  for (let round = 0; round < rounds(1, 20); round++) {
    await sql.run('delete from accounts_events')
    const { challenge, mail } = await forgotten()
    const wrong = mail.code!.replace(/\d$/, (digit) => `${(Number(digit) + 1) % 10}`)
    const guess = (code: string, index: number) =>
      say('/password/reset', { challenge_id: challenge, code, new_password: password }, index)
    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => guess(wrong, index)))
    t.ok(statuses(answers).every((status) => status === 400))
    const [judged] = await sql.all(
      "select count(*) as n from accounts_events where type = 'proof-failed' and user_id is not null")
    t.equal(Number(judged!.n), 5)
    t.equal((await sql.get('select tries from accounts_one_time order by id desc limit 1'))!.tries, 5)
    t.equal((await guess(mail.code!, 1)).status, 400, 'the right one comes too late')
  }
})

t.test('a reset ends every session in every process, and signs nobody in', async (t) => {
  for (let round = 0; round < rounds(1, 20); round++) {
    const login = { username: 'ada', password: current }
    const logins = await Promise.all(servers.map((_, index) => say('/login', login, index)))
    const tokens = logins.map(({ body }) => body.access_token as string)
    for (const server of servers) {
      for (const token of tokens) t.equal(await server.lets(token), 200)
    }
    const { mail } = await forgotten(round)
    const answer = await say('/password/reset', { token: mail.token, new_password: password }, round)
    t.equal(answer.status, 204)
    t.same([answer.body, answer.cookies], [{}, []])
    current = password
    for (const server of servers) {
      for (const token of tokens) await until(async () => await server.lets(token) === 401)
    }
    for (const { body } of logins) t.equal((await say('/refresh', { refresh_token: body.refresh_token })).status, 401)
  }
})

t.test('of addresses that are proved at once, in three processes, each user has one, and never a mixture', async (t) => {
  for (let round = 0; round < rounds(1, 20); round++) {
    const names = [`bob${round}`, `eve${round}`]
    const people = await Promise.all(names.map((username, index) =>
      say('/register', { username, email: `${username}@example.com`, password }, index)))
    const wanted = [`own${round}@example.com`, `shared${round}@example.com`]
    const links: string[] = []
    for (const { body } of people) {
      for (const email of wanted) {
        const before = mailbox.to(email).length
        await pick(0).ask('PUT', '/auth/email', body.access_token, { email })
        await until(() => mailbox.to(email).length > before)
        links.push(mailbox.to(email).at(-1)!.token!)
      }
    }
    const answers = await Promise.all(links.map((token, index) => say('/email/change', { token }, index)))
    t.ok(statuses(answers).every((status) => [204, 400, 409].includes(status)), statuses(answers).join())
    t.equal(statuses(answers).filter((status) => status === 204).length, 2, 'each one of theirs')
    const rows = await sql.all(
      'select username, email, email_key, email_verified_at from accounts_users where username in (?, ?)', ...names)
    t.equal(new Set(rows.map(({ email }) => email)).size, 2)
    for (const { email, email_key: key, email_verified_at: at } of rows) {
      t.ok(wanted.includes(email) && at)
      t.equal(key, identifierKey(email))
    }
  }
})

t.test('resets, logins, refreshes and ends of one user at once, in three processes, get in nobody\'s way', async (t) => {
  const counts: Record<string, number> = {}
  const over = Date.now() + rounds(4, 60) * 1000
  // A slow machine takes longer until somebody of each kind has got through: the others have stopped by then.
  const isAwaited = (index: number) =>
    (index === 0 && !counts['reset 204']) || (index === 3 && !counts['refresh 200'])
  const actors = Array.from({ length: 9 }, async (_, index) => {
    while (Date.now() < over || isAwaited(index)) {
      const [what, answer] = await anything(index)
      const kind = `${what} ${answer.status}`
      counts[kind] = (counts[kind] ?? 0) + 1
      if (answer.status >= 500) t.fail(`${what}: ${answer.status} ${answer.body.code}`)
    }
  })
  await Promise.all(actors)
  t.comment(counts)
  t.ok(counts['reset 204']! > 0)
  t.ok(counts['refresh 200']! > 0)
  t.same(servers.map((server) => server.complaints()), ['', '', ''])
})

/** What one of the people does who have this account. */
async function anything (index: number): Promise<[what: string, answer: Answer]> {
  if (index < 3) {
    const { mail } = await forgotten(index)
    return ['reset', await say('/password/reset', { token: mail.token, new_password: password }, index)]
  }
  const login = await say('/login', { username: 'ada', password }, index)
  const { access_token: access, refresh_token: token } = login.body
  const isIn = login.status === 200
  switch (chance.below(isIn ? 7 : 2)) {
    case 0: return ['forgot', await say('/password/forgot', { username: 'ada' }, index)]
    case 1: return ['spent reset', await say('/password/reset', { token: oldest(), new_password: password }, index)]
    case 2: return ['logout', await say('/logout', { refresh_token: token }, index)]
    case 3: return ['end', await pick(index).ask('DELETE', '/auth/sessions', access)]
    case 4: return ['password', await pick(index).ask('PUT', '/auth/password', access, {
      current_password: password, new_password: password,
    })]
    default: return ['refresh', await say('/refresh', { refresh_token: token }, index)]
  }
}

/** A token that was used long ago. */
function oldest (): string {
  return mailbox.to(address).find(({ token }) => token)!.token!
}

/** Asks for a mail, and waits for it. */
async function forgotten (index = 0) {
  const before = mailbox.to(address).filter(({ code }) => code).length
  const answer = await say('/password/forgot', { username: 'ada' }, index)
  const fresh = () => mailbox.to(address).filter(({ code }) => code)
  await until(() => fresh().length > before)
  return { challenge: answer.body.challenge_id as string, mail: fresh().at(-1)! }
}

function pick (index: number): Server {
  return servers[index % servers.length]!
}

function say (path: string, body: object, index = 0): Promise<Answer> {
  return pick(index).ask('POST', `/auth${path}`, undefined, body)
}

function statuses (answers: Answer[]): number[] {
  return answers.map(({ status }) => status)
}
