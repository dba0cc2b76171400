import { password } from '../build.ts'
import type { Answer, Server } from './process.ts'
import type { Chance } from './rounds.ts'

/** A session as its owner knows it. */
interface Login {
  refresh: string
  access: string
  /** Unsure: who ended it, or spent its token, was never answered. */
  state: 'on' | 'unsure' | 'over'
}

/** Somebody who keeps what they were told, and complains if it turns out not to be so. */
export interface Person {
  /**
   * Does anything that people do, on one of the servers. What is not answered because a server died is unsure from here on.
   * False when there is nothing left to do that is sure.
   */
  act: (server: Server, other: Server) => Promise<boolean>
  /** Asks whether all that was acknowledged is so. */
  verify: (restarted: Server, survivor: Server) => Promise<void>
  complaints: string[]
  /** How many requests were acknowledged. */
  acknowledged: number
}

/** `isDead` tells whether a server was killed: only then may it leave a request without an answer. */
export function createPerson (name: string, chance: Chance, window: '30s' | 0, isDead: (server: Server) => boolean): Person {
  const complaints: string[] = []
  const logins: Login[] = []
  /** Those that may be right: two of them after a change that was not answered. */
  let passwords: string[] = []
  const former: string[] = []
  let isRegistered: boolean | 'unsure' = false
  let count = 0

  /** The answer, or nothing if there is none and need not be. */
  async function hear (what: string, asked: Promise<Answer>, server: Server, expected: number): Promise<Answer | undefined> {
    const answer = await asked.catch((error: Error) => {
      if (!isDead(server)) complaints.push(`${name}: ${what} was not answered by a living server: ${error.cause ?? error}`)
    })
    if (!answer) return undefined
    person.acknowledged++
    if (answer.status !== expected) complaints.push(`${name}: ${what} gave ${answer.status} ${answer.body.code}, not ${expected}`)
    return answer
  }

  const keep = (login: Login, { body }: Answer) => Object.assign(login, { refresh: body.refresh_token, access: body.access_token })

  async function register (server: Server): Promise<void> {
    passwords = [password]
    const answer = await hear('registration', server.register(name), server, 201)
    isRegistered = answer ? true : 'unsure'
    if (answer) logins.push(keep({ refresh: '', access: '', state: 'on' }, answer))
  }

  async function login (server: Server): Promise<void> {
    const answer = await hear('login', server.login(name, passwords[0]), server, 200)
    if (answer) logins.push(keep({ refresh: '', access: '', state: 'on' }, answer))
  }

  async function refresh (server: Server, login: Login): Promise<void> {
    const answer = await hear('refresh', server.refresh(login.refresh), server, 200)
    if (answer) keep(login, answer)
    else if (window === 0) login.state = 'unsure'
  }

  /** Two tabs, in two processes: whoever is answered is answered the same. */
  async function refreshTwice (server: Server, other: Server, login: Login): Promise<void> {
    const { refresh: token } = login
    const answers = await Promise.all([server, other].map((one) => hear('refresh of two', one.refresh(token), one, 200)))
    for (const answer of answers) if (answer) keep(login, answer)
    if (new Set(answers.filter(Boolean).map((answer) => answer!.body.refresh_token)).size > 1) complaints.push(`${name}: two refresh tokens live`)
  }

  async function logout (server: Server, login: Login): Promise<void> {
    login.state = 'unsure'
    if (await hear('logout', server.logout(login.refresh), server, 204)) login.state = 'over'
  }

  /** Others end with the first answer, this one goes on in any case. */
  async function changePassword (server: Server, login: Login): Promise<void> {
    const next = `${password} ${++count}`
    const body = { current_password: passwords[0], new_password: next }
    const others = logins.filter((one) => one !== login && one.state !== 'over')
    for (const one of others) one.state = 'unsure'
    passwords = [passwords[0]!, next]

    const answer = await hear('password', server.ask('PUT', '/auth/password', login.access, body), server, 200)
    if (!answer) return
    keep(login, answer)
    former.push(passwords[0]!)
    passwords = [next]
    for (const one of others) one.state = 'over'
  }

  function actsOn (server: Server, other: Server, one: Login, isSure: boolean): (() => Promise<void>)[] {
    return [
      () => refresh(server, one),
      () => refresh(server, one),
      () => logout(server, one),
      ...isSure ? [() => login(server), () => login(server)] : [],
      ...isSure && chance.below(3) === 0 ? [() => changePassword(server, one)] : [],
      ...window === 0 ? [] : [() => refreshTwice(server, other, one)],
    ]
  }

  async function verifyPasswords (server: Server): Promise<void> {
    const statuses = await Promise.all([...passwords, ...former].map(async (word) => (await server.login(name, word)).status))
    const right = [...passwords, ...former].filter((_, index) => statuses[index] === 200)
    if (isRegistered === 'unsure' && right.length === 0) {
      isRegistered = true
      await hear('registration once more', server.register(name), server, 201)
    } else if (right.length !== 1 || !passwords.includes(right[0]!)) {
      complaints.push(`${name}: of ${passwords.length} passwords and ${former.length} former ones these work: ${statuses}`)
    } else passwords = right
  }

  async function verifyLogin (restarted: Server, survivor: Server, login: Login): Promise<void> {
    const wasSure = login.state !== 'unsure'
    const { status, body } = await chance.pick([restarted, survivor]).refresh(login.refresh)
    if (login.state === 'unsure') login.state = status === 200 ? 'on' : 'over'
    if (status !== (login.state === 'on' ? 200 : 401)) complaints.push(`${name}: a session that is ${login.state} gave ${status} ${body.code}`)
    if (status === 200) keep(login, { body } as Answer)

    // Who began after the end knows of it. Others ask the row, as their memory may be a second old.
    const entered = await Promise.all([restarted.lets(login.access, wasSure ? '/guarded' : '/strict'), survivor.lets(login.access, '/strict')])
    if (entered.some((one) => one !== status)) complaints.push(`${name}: refreshed with ${status}, let in with ${entered}`)
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
