import { decode, password } from '../../support/build.ts'
import type { Answer, Speaker } from './process.ts'
import type { Chance } from '../../support/rounds.ts'

/** A session as its owner knows it. */
interface Login {
  refresh: string
  access: string
  /** Unsure: who ended it, or spent its token, was never answered. */
  state: 'on' | 'unsure' | 'over'
  /** The tokens before this one, the newest first. */
  former: string[]
}

/** When a request may stay without its answer. */
export interface Excuses {
  /** The server was killed: it may leave a request without an answer. */
  isDead: (server: Speaker) => boolean
  /** The answer says that the database is away, and so it was. */
  isExcused?: (answer: Answer) => boolean
}

/** Somebody who keeps what they were told, and complains if it turns out not to be so. */
export interface Person {
  /**
   * Does anything that people do, on one of the servers. What is not answered because a server died is unsure from here
   * on. False when there is nothing left to do that is sure.
   */
  act: (server: Speaker, other: Speaker) => Promise<boolean>
  /** Asks whether all that was acknowledged is so. */
  verify: (restarted: Speaker, survivor: Speaker) => Promise<void>
  complaints: string[]
  /** How many requests were acknowledged. */
  acknowledged: number
}

export function createPerson (
  name: string,
  chance: Chance,
  window: '30s' | 0,
  { isDead, isExcused = () => false }: Excuses
): Person {
  const complaints: string[] = []
  const logins: Login[] = []
  /** Those that may be right: two of them after a change that was not answered. */
  let passwords: string[] = []
  const former: string[] = []
  let isRegistered: boolean | 'unsure' = false
  let count = 0

  /** The answer, or nothing if there is none and need not be. */
  async function hear (
    what: string,
    asked: Promise<Answer>,
    server: Speaker,
    expected: number
  ): Promise<Answer | undefined> {
    const answer = await asked.catch((error: Error) => {
      if (!isDead(server)) { complaints.push(`${name}: ${what} was not answered by a living server: ${error.cause ?? error}`) }
    })
    if (!answer || isExcused(answer)) return undefined
    person.acknowledged++
    if (answer.status === expected) return answer
    complaints.push(`${name}: ${what} gave ${answer.status} ${answer.body.code}, not ${expected}`)
  }

  function keep (login: Login, { body: { refresh_token: refresh, access_token: access } }: Answer): Login {
    const former =
      login.refresh === '' || genOf(refresh) === genOf(login.refresh) ? login.former : [login.refresh, ...login.former]
    return Object.assign(login, { refresh, access, former })
  }

  const begin = (answer: Answer) => logins.push(keep({ refresh: '', access: '', state: 'on', former: [] }, answer))

  async function register (server: Speaker): Promise<void> {
    passwords = [password]
    const answer = await hear('registration', server.register(name), server, 201)
    isRegistered = answer ? true : 'unsure'
    if (answer) begin(answer)
  }

  async function login (server: Speaker): Promise<void> {
    const answer = await hear('login', server.login(name, passwords[0]), server, 200)
    if (answer) begin(answer)
  }

  async function refresh (server: Speaker, login: Login): Promise<void> {
    const answer = await hear('refresh', server.refresh(login.refresh), server, 200)
    if (answer) keep(login, answer)
    else if (window === 0) login.state = 'unsure'
  }

  /**
   * Two tabs, in two processes, with one store: whoever is answered is answered with the same generation, and the last
   * answer stays.
   */
  async function refreshTwice (server: Speaker, other: Speaker, login: Login): Promise<void> {
    const { refresh: token } = login
    const answers = await Promise.all(
      [server, other].map((one) => hear('refresh of two', one.refresh(token), one, 200))
    )
    for (const answer of answers) if (answer) keep(login, answer)
    if (new Set(answers.filter(Boolean).map((answer) => genOf(answer!.body.refresh_token))).size > 1) { complaints.push(`${name}: two generations live`) }
  }

  async function logout (server: Speaker, login: Login): Promise<void> {
    login.state = 'unsure'
    if (await hear('logout', server.logout(login.refresh), server, 204)) login.state = 'over'
  }

  /** Others end with the first answer; this one goes on with the answer, and without it nobody knows. */
  async function changePassword (server: Speaker, login: Login): Promise<void> {
    const next = `${password} ${++count}`
    const body = { current_password: passwords[0], new_password: next }
    const others = logins.filter((one) => one !== login && one.state !== 'over')
    for (const one of others) one.state = 'unsure'
    passwords = [passwords[0]!, next]
    login.state = 'unsure'

    const answer = await hear('password', server.ask('PUT', '/auth/password', login.access, body), server, 200)
    if (!answer) return
    // What was before is void, and its replay ends nothing.
    Object.assign(keep(login, answer), { state: 'on', former: [] })
    former.push(passwords[0]!)
    passwords = [next]
    for (const one of others) one.state = 'over'
  }

  async function guarded (server: Speaker, login: Login): Promise<void> {
    await hear('guard', server.ask('GET', '/guarded', login.access), server, 200)
  }

  async function list (server: Speaker, login: Login): Promise<void> {
    const answer = await hear('sessions', server.ask('GET', '/auth/sessions', login.access), server, 200)
    const listed: string[] | undefined = answer?.body.sessions?.map(({ id }: { id: string }) => id)
    if (listed && !listed.includes(idOf(login))) complaints.push(`${name}: a session is not in its own list`)
  }

  async function endOther (server: Speaker, login: Login): Promise<void> {
    const other = logins.find((one) => one !== login && one.state === 'on')
    if (!other) return list(server, login)
    other.state = 'unsure'
    if (
      await hear('end of a session', server.ask('DELETE', `/auth/sessions/${idOf(other)}`, login.access), server, 204)
    ) { other.state = 'over' }
  }

  /** Somebody has kept a token from before the last two: nobody keeps the session. */
  async function replay (server: Speaker, login: Login): Promise<void> {
    login.state = 'unsure'
    const answer = await hear('replay', server.refresh(login.former[1]!), server, 401)
    if (answer) login.state = 'over'
    if (answer && answer.body.code !== 'ACCOUNTS_REFRESH_REUSED') { complaints.push(`${name}: a replay gave ${answer.body.code}`) }
  }

  function actsOn (server: Speaker, other: Speaker, one: Login, isSure: boolean): (() => Promise<void>)[] {
    return [
      () => refresh(server, one),
      () => refresh(server, one),
      () => logout(server, one),
      () => guarded(server, one),
      () => list(server, one),
      () => endOther(server, one),
      ...(one.former.length > 1 && chance.below(3) === 0 ? [() => replay(server, one)] : []),
      ...(isSure ? [() => login(server), () => login(server)] : []),
      ...(isSure && chance.below(3) === 0 ? [() => changePassword(server, one)] : []),
      ...(window === 0 ? [] : [() => refreshTwice(server, other, one)]),
    ]
  }

  async function verifyPasswords (server: Speaker): Promise<void> {
    const statuses = await Promise.all(
      [...passwords, ...former].map(async (word) => (await server.login(name, word)).status)
    )
    const right = [...passwords, ...former].filter((_, index) => statuses[index] === 200)
    if (isRegistered === 'unsure' && right.length === 0) {
      isRegistered = (await hear('registration once more', server.register(name), server, 201)) ? true : 'unsure'
    } else if (right.length !== 1 || !passwords.includes(right[0]!)) {
      complaints.push(
        `${name}: of ${passwords.length} passwords and ${former.length} former ones these work: ${statuses}`
      )
    } else passwords = right
  }

  async function verifyLogin (restarted: Speaker, survivor: Speaker, login: Login): Promise<void> {
    const wasSure = login.state !== 'unsure'
    const { status, body } = await chance.pick([restarted, survivor]).refresh(login.refresh)
    if (login.state === 'unsure') login.state = status === 200 ? 'on' : 'over'
    if (status !== (login.state === 'on' ? 200 : 401)) { complaints.push(`${name}: a session that is ${login.state} gave ${status} ${body.code}`) }
    if (status === 200) keep(login, { body } as Answer)

    // Who began after the end knows of it. Others ask the row, as their memory may be a second old.
    const entered = await Promise.all([
      restarted.lets(login.access, wasSure ? '/guarded' : '/strict'),
      survivor.lets(login.access, '/strict'),
    ])
    if (entered.some((one) => one !== status)) { complaints.push(`${name}: refreshed with ${status}, let in with ${entered}`) }
  }

  const person: Person = {
    complaints,
    acknowledged: 0,

    async act (server, other) {
      const isSure = isRegistered === true && passwords.length === 1
      const living = logins.filter(({ state }) => state === 'on')
      if (isRegistered === false) await register(server)
      else if (living.length > 0) await chance.pick(actsOn(server, other, chance.pick(living), isSure))()
      else if (isSure) await login(server)
      else return false
      return true
    },

    async verify (restarted, survivor) {
      if (isRegistered === false) return
      await verifyPasswords(restarted)
      for (const login of logins) await verifyLogin(restarted, survivor, login)
    },
  }
  return person
}

/** Which of the refresh tokens of a session it is. */
function genOf (token: string): number {
  return decode(token).payload.gen
}

function idOf ({ refresh }: Login): string {
  return decode(refresh).payload.sid
}
