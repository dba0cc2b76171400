// On each database.
// In a process of its own, for 20 s: it starts and kills others.
// With more rounds in trials.
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { identifierKey } from '../../../lib/users/identifiers.ts'
import { refusal } from '../../mail/smtp-server.ts'
import { freshDatabase, open } from '../../support/databases.ts'
import { createChance, rounds } from '../../support/rounds.ts'
import { until } from '../../support/waiting.ts'
import { startMailbox } from './mailbox.ts'
import { startServer, startServers, type Server } from './process.ts'

const chance = createChance(t)
const count = rounds(80, 600)
const others = rounds(3, 4)

t.test('mails outlive processes that are killed, and a server that refuses, puts off, hangs and closes', async (t) => {
  const accepted = new Map<string, number>()
  let isQuiet = false
  const mailbox = await startMailbox(t, {
    onConnect (_, done) { if (isQuiet || chance.below(30)) done() },
    onRcptTo ({ address }, _, done) {
      const isPutOff = !isQuiet && chance.below(5) === 0
      done(address.startsWith('refused') ? refusal(550) : isPutOff ? refusal(450) : null)
    },
    async onData (stream, { id: session }, done) {
      const raw = await text(stream).catch(() => undefined)
      if (raw === undefined) return
      const id = /^Message-ID: (\S+)/m.exec(raw)![1]!
      const luck = isQuiet ? 9 : chance.below(30)
      if (luck === 0) return
      // Its own connection alone: others may have been told that a mail is accepted, and not heard it yet.
      if (luck === 1) return closeConnection(this, session)
      if (luck === 2) return done(refusal(451))
      accepted.set(id, (accepted.get(id) ?? 0) + 1)
      done()
    },
  })
  const email = { verification: 'none' } as const
  const options = { db: await freshDatabase(t), mail: mailbox.mail, email }
  const servers = await startServers(t, others, options)
  const sql = open(options.db)
  t.teardown(() => sql.close())
  const users = Array.from({ length: count }, (_, index) => `${index % 10 ? 'user' : 'refused'}${index}`)
  const accounts = users.map((username) => ({ username, email: `${username}@example.com`, password: 'a long password' }))
  await each(accounts, (account) => chance.pick(servers).ask('POST', '/auth/register', undefined, account))

  const statuses: number[] = []
  const dead = new Set<Server>()
  const storm = each(users, async (username) => {
    for (;;) {
      const server = chance.pick(servers)
      const answer = await forget(server, username).catch(() => undefined)
      if (answer) return statuses.push(answer.status)
      // Whoever was not answered does not know whether it was written down.
      await until(async () => dead.has(server))
    }
  })
  for (let kill = 1; kill <= rounds(2, 12); kill++) {
    await until(async () => statuses.length > chance.below(count * kill / rounds(3, 13)))
    const index = chance.below(others)
    await servers[index]!.kill()
    dead.add(servers[index]!)
    servers[index] = await startServer(t, options)
  }
  await storm
  t.ok(statuses.every((status) => status === 202))

  // An hour passes: who is killed holds nothing any more, and what was put off is due.
  await Promise.all(servers.map((server) => server.kill()))
  const claimed = await sql.all('select id from accounts_mails where due_at is not null and claim is not null')
  await sql.run('update accounts_mails set due_at = 0, claim = null where due_at is not null')
  const last = await startServers(t, others, options)
  const isLeft = 'select count(*) as n from accounts_mails where due_at is not null and ' +
    '(identifier_key is null or identifier_key <> ?)'
  const left = async () => (await sql.get(isLeft, identifierKey('nobody')))!.n
  for (let turn = 0; Number(await left()) > 0; turn++) {
    isQuiet = turn > 1
    await sql.run('update accounts_mails set due_at = 0 where due_at is not null and claim is null')
    // Whoever is asked for a mail looks for others too.
    await Promise.all(last.map((server) => forget(server, 'nobody')))
    await pause(300)
  }

  const rows = await sql.all('select kind, address, sent_at, failed_at, error from accounts_mails where address is not null')
  const wrong = rows.filter(({ address, sent_at: sentAt, failed_at: failedAt }) =>
    address.startsWith('refused') ? !failedAt || sentAt : failedAt || !sentAt)
  t.same(wrong, [])
  const asked = rows.filter(({ kind }) => kind === 'reset').map(({ address }) => address)
  t.equal(new Set(asked).size, count, 'all that was asked for')
  const twice = [...accepted.values()].filter((times) => times > 1)
  t.comment(`${rows.length} mails, ${claimed.length} claimed by the dead, ${twice.length} sent twice`)
  t.ok(twice.every((times) => times === 2))
  t.ok(twice.length <= claimed.length, 'and none twice that nobody died of')
})

/** Does so for each, twelve at a time. */
async function each<Item> (items: Item[], act: (item: Item) => Promise<unknown>): Promise<void> {
  const waiting = [...items]
  await Promise.all(Array.from({ length: 12 }, async () => {
    for (let item = waiting.shift(); item; item = waiting.shift()) await act(item)
  }))
}

function forget (server: Server, username: string) {
  return server.ask('POST', '/auth/password/forgot', undefined, { username })
}

/** Closes one connection of an SMTP server without another word. */
function closeConnection (server: unknown, session: string): void {
  const { connections } = server as { connections: Set<{ session: { id: string }, _socket: { destroy: () => void } }> }
  for (const { session: { id }, _socket: socket } of connections) if (id === session) socket.destroy()
}
