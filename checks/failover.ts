// Lets people use three processes on a PostgreSQL that is lost in the midst of it, with its last commits: a standby
// that had received nothing for a while is promoted, or a backup put back. Asks who is still signed in, and who should
// not be: `npm run failover`, or with one of the names below.
import { setTimeout as pause } from 'node:timers/promises'
import { decode } from '../test/support/build.ts'
import { open, type Row } from '../test/support/databases.ts'
import { createCluster, type Cluster } from './cluster.ts'
import { createCustomer, type Customer, type Ended, type Held } from './failover/customer.ts'
import { startServer, type Answer, type Server } from '../test/whole/processes/process.ts'
import { startProxy } from '../test/whole/processes/proxy.ts'
import { createChance } from '../test/support/rounds.ts'
import { until } from '../test/support/waiting.ts'

/** What takes the place of the database, and whether those who asked it go on. */
const scenarios = {
  standby: { way: 'standby', goesOn: true },
  backup: { way: 'backup', goesOn: true },
  'backup-anew': { way: 'backup', goesOn: false },
} as const
type Scenario = keyof typeof scenarios

const crowd = 24
/** Of these, so many come when nothing of theirs will be kept. */
const late = 3
/** So many do nothing but refresh in what will be lost: not at all, once or twice, so that there are some of each. */
const quiet = 6
const processes = 3

/** From one rotation to the next, beyond two windows. */
const restMs = 5500
/** Long enough for a rotation that is kept, for two or three that are lost, and for those after. */
const keptMs = 7000
const lostMs = 17_000
const afterMs = 9000

const pollMs = 1000
const maxStalenessMs = 5000
/** So much later than the database a process may find its way back to it. */
const graceMs = 3000
/** After so long a request is given up, whatever it waits for. */
const deadlineMs = 10_000

/** Rotations are not told from each other inside two windows, so a short window makes many. */
const options = {
  transport: 'both',
  access: { expiresIn: '5m' },
  refresh: { window: '2s' },
  revocation: { pollInterval: `${pollMs / 1000}s`, maxStaleness: `${maxStalenessMs / 1000}s` },
} as const

/** What is counted, in the order in which it is told. */
const counted = [
  'requests',
  '503 while the database was away',
  '503 of a machine too busy to answer within 10 s',
  'people',
  'signed in when the database was lost',
  '… nothing of theirs was lost',
  '… one rotation lost',
  '… two rotations lost',
  '… three or more lost',
  '… a proof of who they are lost (password, reauthentication)',
  '… of these went on',
  '… login lost as a whole, signed in again',
  '… account lost as a whole, opened again',
  '… a proof without an answer, went on',
  '… a proof without an answer, signed in again',
  '**sessions that ended for nothing**',
  'tokens taken back (ADOPT)',
  'password changes undone',
  'sessions that had been ended',
  '… of these the end was lost',
  '… and the whole session',
  'tokens of ended sessions shown to processes that knew',
  '**of these let in**',
  'ended sessions alive again: in processes that had not yet heard of it',
  'ended sessions alive again: in a process that began anew',
  '**… though another process knew**',
  'access tokens of lost sessions let in until they expire',
  'tokens made void by a lost proof, shown to processes that knew',
  '**of these let in or ending something**',
  'void access tokens let in by a process that began anew',
  'void refresh tokens taken by a process that began anew',
  '**void tokens let in or taken there once processes that knew were back**',
] as const
/** Without these a run says nothing. */
const needed = [
  '… nothing of theirs was lost',
  '… one rotation lost',
  '… two rotations lost',
  '… login lost as a whole, signed in again',
  '… account lost as a whole, opened again',
  '… of these the end was lost',
] as const
type Counts = Record<typeof counted[number], number>

const chance = createChance({ comment: (text) => console.log(text) })
const violations: string[] = []

/** What was found in the database that took the place of the lost one. */
interface Found {
  sessions: Map<string, Row>
  users: Set<string>
}

async function play (name: Scenario): Promise<Counts> {
  const { way, goesOn } = scenarios[name]
  const counts = Object.fromEntries(counted.map((what) => [what, 0])) as Counts
  const beganAt = performance.now()
  const complain = (what: string) => {
    violations.push(`${name}, after ${Math.round((performance.now() - beganAt) / 1000)} s: ${what}`)
  }
  const ends: (() => Promise<void>)[] = []
  const ending = { teardown: (end: () => Promise<void>) => ends.push(end) }

  const clusters: Cluster[] = []
  const keep = async (making: Promise<Cluster>) => {
    const cluster = await making
    clusters.push(cluster)
    return cluster
  }

  let isOver = false
  const dead = new Set<Server>()
  let servers: Server[] = []
  const known = Promise.withResolvers<Server>()
  const cut = Promise.withResolvers<void>()
  const back = Promise.withResolvers<Found>()
  const outage = { from: Infinity, to: Infinity }
  let heldAt = Infinity
  let begun = 0

  async function start (url: string): Promise<Server> {
    const server = await startServer(ending, { db: url, ...options } as never)
    const watched: Server = {
      ...server,
      ask: (...what) => {
        counts.requests++
        return server.ask(...what)
      },
    }
    server.ended.then(() => {
      if (!isOver && !dead.has(watched)) complain(`a process ended by itself: ${server.complaints()}`)
    })
    return watched
  }

  function isExcused (server: Server, answer?: Answer): boolean {
    if (!answer) return dead.has(server)
    if (answer.status !== 503 || answer.body.code !== 'ACCOUNTS_UNAVAILABLE') return false
    const isAway = outage.from < answer.askedAt + answer.tookMs && answer.askedAt < outage.to + graceMs
    if (!isAway && answer.tookMs < deadlineMs) return false
    counts[isAway ? '503 while the database was away' : '503 of a machine too busy to answer within 10 s']++
    return true
  }

  const world = {
    chance,
    servers: () => servers,
    isExcused,
    complain,
    countEnd: () => {
      counts['**sessions that ended for nothing**']++
    },
  }
  const people = Array.from({ length: crowd }, (_, index) => createCustomer(`user${index}`, world))

  /**
   * Those who knew of an end when the database was lost: who answered it, and by the promise of `maxStaleness`
   * everybody.
   */
  function knowing ({ at, by }: Ended, of: Server[]): Server[] {
    return of.filter((server) => !dead.has(server) && (server === by || at < outage.from - maxStalenessMs))
  }

  /** Waits until those who knew of an end have written it again, if there are any. */
  async function isRestored (one: Ended, old: Server[]): Promise<boolean> {
    if (!goesOn || knowing(one, old).length === 0) return false
    await pause(Math.max(0, outage.to + graceMs + 2 * pollMs - performance.now()))
    return true
  }

  async function live (customer: Customer, index: number): Promise<void> {
    if (index < late) await cut.promise
    await customer.begin()
    begun++
    if (index < crowd - quiet) await actUntilLost(customer)
    else await refreshQuietly(customer, index % 3)
    await comeBack(customer, await back.promise)
    const until = performance.now() + afterMs
    while (performance.now() < until) {
      await customer.act()
      await pause(chance.below(500))
    }
    for (const held of [...customer.sessions]) await customer.goOn(held)
  }

  async function actUntilLost (customer: Customer): Promise<void> {
    while (outage.from === Infinity) {
      await customer.act()
      await pause(chance.below(500))
    }
  }

  async function refreshQuietly (customer: Customer, times: number): Promise<void> {
    await cut.promise
    for (let left = times; left > 0; left--) {
      await Promise.all(customer.sessions.map((held) => customer.goOn(held)))
      await pause(restMs)
    }
  }

  /** Asks for what was said before the database was lost, of the one that took its place. */
  async function comeBack (customer: Customer, found: Found): Promise<void> {
    const old = servers.filter((server) => server !== newcomer)
    const before = ({ begunAt }: Held) => begunAt < outage.to
    const ended = customer.ended.filter(({ at }) => at < outage.to)
    const voided = customer.voided.filter(({ at }) => at < outage.to)
    const sessions = customer.sessions.filter(before)

    for (const one of ended) await refuseWhereKnown(one, old, found)
    for (const one of voided) await refuseWhereVoid(one, old, found)

    if (customer.registeredAt !== undefined && customer.registeredAt < outage.to && !found.users.has(customer.name)) {
      if (customer.registeredAt < heldAt) complain(`${customer.name}: the account is gone, and was there`)
      for (const held of sessions) await loseWhole(customer, held)
      counts['… account lost as a whole, opened again']++
      return customer.beginAnew()
    }
    // Somebody who has copied one of them may come before the owner.
    if (chance.below(2)) for (const one of voided) await showVoidAnew(one, found)
    let lost = 0
    for (const held of sessions) if (!await returnTo(customer, held, found)) lost++
    if (customer.passwordAt > heldAt || lost > 0) counts['password changes undone'] += await customer.signIn() ?? 0

    for (const one of ended) await showAnew(one, found, await isRestored(one, old))
    for (const one of voided) await showVoidAnew(one, found, await isRestored(one, old))
  }

  /** False where the owner has to sign in again. */
  async function returnTo (customer: Customer, held: Held, found: Found): Promise<boolean> {
    const { holder, state } = held
    const row = found.sessions.get(holder.id)
    if (state !== 'on') {
      const isOn = await customer.goOn(held)
      if (state === 'proving') {
        counts[isOn ? '… a proof without an answer, went on' : '… a proof without an answer, signed in again']++
      }
      if (isOn) held.state = 'on'
      return isOn === true
    }
    counts['signed in when the database was lost']++
    if (!row) {
      await loseWhole(customer, held)
      counts['… login lost as a whole, signed in again']++
      return false
    }
    if (row.revoked_at !== null) {
      complain(`${customer.name}: a session that goes on is over in the database: ${row.revoke_reason}`)
    }
    counts[lostOf(holder.gen - row.gen)]++
    const isOn = await customer.goOn(held, chance.below(2) === 0)
    if (!isOn) return false
    for (const path of ['/guarded', '/strict']) {
      const server = chance.pick(servers)
      const { status, body } = await holder.ask(server, 'GET', path)
      if (status !== 200) complain(`${customer.name}: after the return ${path} gave ${status} ${body.code}`)
    }
    counts['… of these went on']++
    return true
  }

  async function loseWhole (customer: Customer, held: Held): Promise<void> {
    const { holder, begunAt } = held
    if (begunAt < heldAt) complain(`${customer.name}: a session is gone that was there`)
    const server = chance.pick(servers)
    const refreshed = await holder.show(server, '/auth/refresh')
    const strict = await holder.ask(server, 'GET', '/strict')
    if (refreshed.status !== 401 || strict.status !== 401) {
      complain(`${customer.name}: a session that is gone gave ${refreshed.status} and ${strict.status}`)
    }
    if ((await holder.ask(server, 'GET', '/guarded')).status === 200) {
      counts['access tokens of lost sessions let in until they expire']++
    }
    customer.drop(held)
  }

  async function refuseWhereKnown (one: Ended, old: Server[], found: Found): Promise<void> {
    const { holder, tokens } = one
    const row = found.sessions.get(holder.id)
    counts['sessions that had been ended']++
    if (!row) counts['… and the whole session']++
    else if (row.revoked_at === null) counts['… of these the end was lost']++

    const knew = goesOn ? knowing(one, old) : []
    for (const server of knew) {
      counts['tokens of ended sessions shown to processes that knew'] += 2
      for (const answer of [
        await holder.ask(server, 'GET', '/guarded', undefined, tokens),
        await holder.show(server, '/auth/refresh', tokens),
      ]) {
        if (answer.status === 401) continue
        counts['**of these let in**']++
        complain(`an ended session gave ${answer.status} ${answer.body.code} in a process that knew`)
      }
    }
    if (!goesOn || row?.revoked_at !== null) return
    const others = old.filter((server) => !knew.includes(server))
    for (const server of others) {
      const { status } = await holder.ask(server, 'GET', '/guarded', undefined, tokens)
      if (status === 200) counts['ended sessions alive again: in processes that had not yet heard of it']++
    }
  }

  async function refuseWhereVoid (one: Ended, old: Server[], found: Found): Promise<void> {
    const { holder, tokens } = one
    if (!goesOn || !isProofLost(one, found)) return
    for (const server of knowing(one, old)) {
      counts['tokens made void by a lost proof, shown to processes that knew'] += 2
      for (const answer of [
        await holder.ask(server, 'GET', '/guarded', undefined, tokens),
        await holder.show(server, '/auth/refresh', tokens),
      ]) {
        if (answer.status === 401) continue
        counts['**of these let in or ending something**']++
        complain(`a void token gave ${answer.status} ${answer.body.code} in a process that knew`)
      }
    }
  }

  const isProofLost = ({ holder, tokens }: Ended, { sessions }: Found) => {
    const row = sessions.get(holder.id)
    return row !== undefined && row.revoked_at === null && row.floor_gen <= genOf(tokens)
  }

  async function showAnew ({ holder, tokens }: Ended, found: Found, isRestored: boolean): Promise<void> {
    const anew = await known.promise
    const row = found.sessions.get(holder.id)
    const guarded = await holder.ask(anew, 'GET', '/guarded', undefined, tokens)
    const refreshed = await holder.show(anew, '/auth/refresh', tokens)
    if (!row && guarded.status === 200) counts['access tokens of lost sessions let in until they expire']++
    if (refreshed.status === 200) counts['ended sessions alive again: in a process that began anew']++
    if (row && row.revoked_at === null && !isRestored) return
    if (refreshed.status === 401 && (!row || guarded.status === 401)) return
    if (isRestored) counts['**… though another process knew**']++
    complain(`an ended session gave ${guarded.status} and ${refreshed.status}: its end was not lost, or a process knew`)
  }

  async function showVoidAnew (one: Ended, found: Found, isRestored = false): Promise<void> {
    if (!isProofLost(one, found)) return
    const anew = await known.promise
    const guarded = await one.holder.ask(anew, 'GET', '/guarded', undefined, one.tokens)
    const refreshed = await one.holder.show(anew, '/auth/refresh', one.tokens)
    if (guarded.status === 200) counts['void access tokens let in by a process that began anew']++
    if (refreshed.status === 200) counts['void refresh tokens taken by a process that began anew']++
    if (!isRestored || (guarded.status === 401 && refreshed.status === 401)) return
    counts['**void tokens let in or taken there once processes that knew were back**']++
    complain(`a void token gave ${guarded.status} and ${refreshed.status} in a process that began anew`)
  }

  /** The database as of now, without what is committed from here on. */
  async function lose (
    primary: Cluster,
    standby: Cluster | undefined,
    part: () => void
  ): Promise<() => Promise<Cluster>> {
    heldAt = performance.now()
    if (!standby) {
      const backup = await keep(primary.backup())
      return async () => {
        await backup.start()
        return backup
      }
    }
    await receiveAll(primary, standby)
    part()
    return async () => {
      await standby.promote()
      return standby
    }
  }

  let newcomer: Server | undefined
  try {
    const primary = await keep(createCluster())
    await primary.start()
    const replication = await startProxy(ending, primary.url)
    const apps = await startProxy(ending, primary.url)
    const standby = way === 'standby' ? await keep(primary.standby(replication.url)) : undefined
    await standby?.start()
    servers = await Promise.all(Array.from({ length: processes }, () => start(apps.url)))

    const lives = Promise.all(people.map(live))
    await until(() => begun === crowd - late)
    await pause(keptMs)
    const takeOver = await lose(primary, standby, replication.refuse)
    cut.resolve()
    await pause(lostMs)

    outage.from = performance.now()
    primary.kill()
    apps.refuse()
    if (!goesOn) {
      for (const server of servers) dead.add(server)
      await Promise.all(servers.map((server) => server.kill()))
    }
    const next = await takeOver()
    const found = await look(next.url)
    apps.pointTo(next.url)
    await apps.restore()
    if (!goesOn) servers = await Promise.all(Array.from({ length: processes }, () => start(apps.url)))
    outage.to = performance.now()
    back.resolve(found)

    newcomer = goesOn ? await start(apps.url) : servers[0]!
    if (goesOn) servers = [...servers, newcomer]
    known.resolve(newcomer)
    await lives

    counts.people = crowd
    for (const what of needed) {
      if (counts[what] === 0) complain(`nothing is counted as “${what}”: this run says nothing of it`)
    }
    for (const server of servers) {
      counts['tokens taken back (ADOPT)'] += (await server.ask('GET', '/counters')).body.refreshesAdopted
    }
    for (const server of servers) if (server.complaints()) complain(`a process said: ${server.complaints()}`)
  } finally {
    isOver = true
    await Promise.all(ends.map((end) => end()))
    await Promise.all(clusters.map((cluster) => cluster.remove()))
  }
  return counts
}

/** By how far a holder is ahead of the row. */
function lostOf (generations: number): keyof Counts {
  if (generations >= 1000) return '… a proof of who they are lost (password, reauthentication)'
  return (
    (['… nothing of theirs was lost', '… one rotation lost', '… two rotations lost'] as const)[
      Math.max(generations, 0)
    ] ?? '… three or more lost'
  )
}

function genOf ({ refresh }: Ended['tokens']): number {
  return decode(refresh).payload.gen
}

async function look (url: string): Promise<Found> {
  const sql = open(url)
  const sessions = await sql.all('select id, gen, floor_gen, revoked_at, revoke_reason from accounts_sessions')
  const users = await sql.all('select username from accounts_users')
  await sql.close()
  return {
    sessions: new Map(sessions.map((row) => [row.id, row])),
    users: new Set(users.map(({ username }) => username)),
  }
}

/** Waits until the standby has all that is committed by now. */
async function receiveAll (primary: Cluster, standby: Cluster): Promise<void> {
  const [one, other] = [open(primary.url), open(standby.url)]
  const { lsn } = (await one.get('select pg_current_wal_lsn()::text as lsn'))!
  await until(async () => (await other.get('select pg_last_wal_receive_lsn() >= ?::pg_lsn as there', lsn))!.there)
  await Promise.all([one.close(), other.close()])
}

const chosen = process.argv.slice(2) as Scenario[]
const results = new Map<Scenario, Counts>()
const beganAt = performance.now()
for (const name of chosen.length > 0 ? chosen : Object.keys(scenarios) as Scenario[]) {
  if (!(name in scenarios)) throw new Error(`npm run failover -- ${Object.keys(scenarios).join(' | ')}`)
  results.set(name, await play(name))
}

console.log(`| what | ${[...results.keys()].join(' | ')} |\n| --- |${' --- |'.repeat(results.size)}`)
for (const what of counted) {
  console.log(`| ${what} | ${[...results.values()].map((counts) => counts[what]).join(' | ')} |`)
}
console.log(`In ${((performance.now() - beganAt) / 60_000).toFixed(1)} minutes, violations: ${violations.length}`)
for (const violation of violations) console.log(violation)
process.exitCode = violations.length > 0 ? 1 : 0
