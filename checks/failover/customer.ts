import { password } from '../../test/support/build.ts'
import { createHolder, type Holder, type Tokens } from './holder.ts'
import type { Answer, Server } from '../../test/whole/processes/process.ts'
import type { Chance } from '../../test/support/rounds.ts'

/** Tokens that were ended, or made void, by an answer. */
export interface Ended {
  holder: Holder
  tokens: Tokens
  at: number
  by: Server
}

/** A session as its owner knows it. */
export interface Held {
  holder: Holder
  begunAt: number
  /** A device that is used seldom refreshes no more often than this. */
  restMs: number
  refreshedAt: number
  /** Unsure: a request that may have ended it was never answered. Proving: one that may have made its tokens void. */
  state: 'on' | 'unsure' | 'proving' | 'over'
}

/** Somebody with a few devices, who does one thing after the other, and keeps what they were told. */
export interface Customer {
  readonly name: string
  /** When the account was opened, or nothing if that was not answered. */
  readonly registeredAt: number | undefined
  readonly sessions: readonly Held[]
  /** The sessions that were ended, and the tokens that a proof of who one is has made void. */
  readonly ended: readonly Ended[]
  readonly voided: readonly Ended[]
  /** When the password was last changed, or that was asked for. */
  readonly passwordAt: number
  /** Opens the account, and signs in on every device. */
  begin: () => Promise<void>
  /** Does anything that people do. */
  act: () => Promise<void>
  /** Refreshes a session, from two tabs at once if so wanted: true if it went on, false if it is over. */
  goOn: (session: Held, isTwice?: boolean) => Promise<boolean | undefined>
  /** Opens the account anew where it is gone: all that was known of it is forgotten. */
  beginAnew: () => Promise<void>
  /** Signs in with the newest password that is right. Gives how many changes are undone that were acknowledged. */
  signIn: () => Promise<number | undefined>
  /** Forgets a session that is known to be over. */
  drop: (session: Held) => void
}

/** Who is asked, and who is told of what must not be. */
export interface World {
  chance: Chance
  /** The processes that live. */
  servers: () => Server[]
  /**
   * True for an answer that says that the database is away, and so it is; and for none, of a process that was killed.
   */
  isExcused: (server: Server, answer?: Answer) => boolean
  complain: (what: string) => void
  /** Counts a session that ended though nothing had ended it. */
  countEnd: (held: Held) => void
}

const mostSessions = 3
const rests = [0, 0, 8000, 13_000, 60_000]

export function createCustomer (name: string, { chance, servers, isExcused, complain, countEnd }: World): Customer {
  let sessions: Held[] = []
  let registeredAt: number | undefined
  let ended: Ended[] = []
  let voided: Ended[] = []
  /** From the newest to the oldest; a change that is not answered is unsure. */
  let passwords: { word: string, since: number, isSure: boolean }[] = []
  let changes = 0

  const living = () => sessions.filter(({ state }) => state === 'on')
  const anyTransport = () => chance.pick(['body', 'cookie'] as const)

  /** The answer, or nothing if there is none and need not be. */
  async function hear (server: Server, asking: Promise<Answer>): Promise<Answer | undefined> {
    const answer = await asking.catch((error: Error) => {
      if (!isExcused(server)) complain(`${name} was not answered by a living process: ${error.cause ?? error}`)
    })
    return answer && !isExcused(server, answer) ? answer : undefined
  }

  /** What is right, or nothing; what is not is complained of, and a 401 has ended the session. */
  async function want (
    status: number,
    what: string,
    server: Server,
    asking: Promise<Answer>,
    held?: Held
  ): Promise<Answer | undefined> {
    const answer = await hear(server, asking)
    if (!answer || answer.status === status) return answer
    complain(
      `${name}: ${what} gave ${answer.status} ${answer.body.code}, not ${status}${held ? `, in session ${held.holder.id} (${held.holder.transport}) of generation ${held.holder.gen}` : ''}`
    )
    if (!held || answer.status !== 401) return
    countEnd(held)
    drop(held)
  }

  function begin (answer: Answer, transport: Holder['transport']): void {
    sessions.push({
      holder: createHolder(transport, answer),
      begunAt: performance.now(),
      restMs: chance.pick(rests),
      refreshedAt: performance.now(),
      state: 'on',
    })
  }

  async function register (): Promise<void> {
    const [server, transport] = [chance.pick(servers()), anyTransport()]
    const answer = await hear(
      server,
      server.ask('POST', '/auth/register', undefined, { username: name, password, transport })
    )
    if (!answer) return
    // One that was stored, and not answered.
    if (answer.status !== 201 && answer.body.code !== 'ACCOUNTS_USER_EXISTS') {
      return complain(`${name}: registration gave ${answer.status} ${answer.body.code}`)
    }
    registeredAt = performance.now()
    passwords = [{ word: password, since: registeredAt, isSure: true }]
    if (answer.status === 201) begin(answer, transport)
  }

  async function login (word = passwords[0]!.word, isTried = false): Promise<boolean | undefined> {
    const [server, transport] = [chance.pick(servers()), anyTransport()]
    const asking = server.ask('POST', '/auth/login', undefined, { username: name, password: word, transport })
    const answer = await (isTried ? hear(server, asking) : want(200, 'login', server, asking))
    if (answer?.status === 200) begin(answer, transport)
    return answer && answer.status === 200
  }

  function end (held: Held, by: Server): void {
    held.state = 'over'
    ended.push({ holder: held.holder, tokens: held.holder.tokens, at: performance.now(), by })
    drop(held)
  }

  function drop (held: Held): void {
    sessions = sessions.filter((one) => one !== held)
  }

  async function refresh (held: Held, isTwice = false): Promise<boolean | undefined> {
    const { holder, holder: { tokens } } = held
    const asked = isTwice ? [chance.pick(servers()), chance.pick(servers())] : [chance.pick(servers())]
    held.refreshedAt = performance.now()
    const answers = await Promise.all(asked.map((server) => hear(server, holder.show(server, '/auth/refresh', tokens))))
    for (const answer of answers) if (answer?.status === 200) holder.take(answer)
    const refused = answers.find((answer) => answer && answer.status !== 200)
    if (!refused) return answers.some(Boolean) ? true : undefined
    if (held.state === 'on') {
      complain(
        `${name}: a refresh${isTwice ? ' of two' : ''} gave ${refused.status} ${refused.body.code} in session ${holder.id} (${holder.transport}) of generation ${holder.gen}`
      )
      if (refused.status === 401) countEnd(held)
    }
    drop(held)
    return false
  }

  const refreshInTurn = (held: Held, isTwice = false) =>
    performance.now() - held.refreshedAt < held.restMs ? visit(held) : refresh(held, isTwice)

  async function visit (held: Held): Promise<void> {
    const server = chance.pick(servers())
    await want(200, 'guard', server, held.holder.ask(server, 'GET', chance.below(4) ? '/guarded' : '/strict'), held)
  }

  async function logout (held: Held): Promise<void> {
    const server = chance.pick(servers())
    held.state = 'unsure'
    if (await want(204, 'logout', server, held.holder.show(server, '/auth/logout'))) end(held, server)
  }

  async function endOther (held: Held): Promise<void> {
    const other = living().find((one) => one !== held)
    if (!other) return visit(held)
    const server = chance.pick(servers())
    other.state = 'unsure'
    if (
      await want(
        204,
        'end of another',
        server,
        held.holder.ask(server, 'DELETE', `/auth/sessions/${other.holder.id}`),
        held
      )
    ) { end(other, server) }
  }

  async function endAll (held: Held): Promise<void> {
    const server = chance.pick(servers())
    const all = [...sessions]
    for (const one of all) one.state = 'unsure'
    if (await want(204, 'logout everywhere', server, held.holder.ask(server, 'DELETE', '/auth/sessions'), held)) {
      for (const one of all) end(one, server)
    }
  }

  /** A proof of who one is makes new tokens, and voids those before them. */
  async function prove (held: Held, method: string, path: string, body: object): Promise<Answer | undefined> {
    const server = chance.pick(servers())
    const { holder, holder: { tokens } } = held
    held.state = 'proving'
    const answer = await want(200, `${method} ${path}`, server, holder.ask(server, method, path, body), held)
    if (!answer) return
    held.state = 'on'
    holder.take(answer)
    voided.push({ holder, tokens, at: performance.now(), by: server })
    return answer
  }

  const reauthenticate = (held: Held) => prove(held, 'POST', '/auth/reauthenticate', { password: passwords[0]!.word })

  async function changePassword (held: Held): Promise<void> {
    const next = `${password} ${++changes}`
    const others = sessions.filter((one) => one !== held)
    for (const one of others) one.state = 'unsure'
    const before = passwords
    passwords = [{ word: next, since: performance.now(), isSure: false }, ...before]
    const answer = await prove(held, 'PUT', '/auth/password', { current_password: before[0]!.word, new_password: next })
    if (!answer) return
    passwords[0]!.isSure = true
    for (const one of others) end(one, voided.at(-1)!.by)
  }

  async function signIn (): Promise<number | undefined> {
    for (const [newer, { word }] of passwords.entries()) {
      const isRight = await login(word, true)
      if (isRight === undefined) return
      if (!isRight) continue
      const undone = passwords.slice(0, newer).filter(({ isSure }) => isSure).length
      passwords = passwords.slice(newer).map((one) => ({ ...one, isSure: true }))
      return undone
    }
    complain(`${name}: none of ${passwords.length} passwords is right`)
  }

  /** What is asked of a session, the rarest first: one of so many times. */
  const acts: [number, (held: Held) => unknown][] = [
    [300, endAll],
    [100, changePassword],
    [70, logout],
    [70, endOther],
    [50, reauthenticate],
    [8, (held) => refreshInTurn(held, true)],
    [2, refreshInTurn],
    [1, visit],
  ]

  return {
    name,
    get registeredAt () { return registeredAt },
    get sessions () { return sessions },
    get ended () { return ended },
    get voided () { return voided },
    get passwordAt () { return passwords[0]?.since ?? 0 },

    async begin () {
      await register()
      while (sessions.length < mostSessions) await login()
    },

    async act () {
      if (registeredAt === undefined) return register()
      const on = living()
      if (!passwords[0]!.isSure) await signIn()
      else if (on.length === 0 || (on.length < mostSessions && chance.below(30) === 0)) await login()
      else await acts.find(([times]) => chance.below(times) === 0)![1](chance.pick(on))
    },

    goOn: refresh,
    drop,

    async beginAnew () {
      [sessions, ended, voided, registeredAt] = [[], [], [], undefined]
      await register()
    },

    signIn,
  }
}
