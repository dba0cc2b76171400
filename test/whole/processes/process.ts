import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { AccountsOptions } from '../../../lib/index.ts'
import { bearer, password } from '../../support/build.ts'

/** What a server said, and when. */
export interface Answer {
  status: number
  body: Record<string, any>
  /** What it sets, as `Set-Cookie` has it. */
  cookies: string[]
  /** When it was asked, and for how long it was waited for, in ms of `performance.now()`. */
  askedAt: number
  tookMs: number
}

/** A way to talk to an app. */
export interface Speaker {
  /** @throws {TypeError} when the process dies before it has answered */
  ask: (
    method: string,
    path: string,
    token?: string,
    body?: object,
    headers?: Record<string, string>,
  ) => Promise<Answer>
  /** Opens an account. */
  register: (username: string) => Promise<Answer>
  login: (username: string, secretWord?: string) => Promise<Answer>
  refresh: (refreshToken: string) => Promise<Answer>
  logout: (refreshToken: string) => Promise<Answer>
  /** The status that a guard gives to an access token. */
  lets: (accessToken: string, path?: '/guarded' | '/strict') => Promise<number>
}

/** A process with an app in it, and a way to talk to it. */
export interface Server extends Speaker {
  signal: (signal: NodeJS.Signals) => void
  /** What it has said on its standard error, which is nothing as long as all is well. */
  complaints: () => string
  /** Ends the process as a power cut would, and waits for its end. */
  kill: () => Promise<void>
  /** Fulfilled with its end. */
  ended: Promise<unknown>
}

/** Few connections for each: a server of PostgreSQL has a hundred for all who test on it at once. */
function withFewConnections (db: string): string {
  return db.includes('://') ? `${db}?connection_limit=5` : db
}

/** Far longer than anything may take that the accounts promise, on whatever machine. */
const patienceMs = 300_000

/** What ends with a test. */
export interface Ending {
  teardown: (end: () => Promise<void>) => unknown
}

/** Starts a server in a process of its own, without the coverage of this one, and ends it with the test. */
export async function startServer (t: Ending, { db, ...options }: AccountsOptions & { db: string }): Promise<Server> {
  const env = { PATH: process.env.PATH, OPTIONS: JSON.stringify({ ...options, db: withFewConnections(db) }) }
  const child = fork(join(import.meta.dirname, 'server.ts'), {
    env,
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const ended = once(child, 'exit')
  const kill = async () => {
    child.kill('SIGKILL')
    await ended
  }
  t.teardown(kill)

  const complaints: Buffer[] = []
  child.stderr!.on('data', (chunk) => complaints.push(chunk))
  const port = await Promise.race([
    once(child, 'message').then(([message]) => (message as { port: number }).port),
    ended.then(() => { throw new Error(`A server did not start: ${Buffer.concat(complaints)}`) }),
  ])

  async function ask (
    method: string,
    path: string,
    token?: string,
    body?: object,
    headers?: Record<string, string>
  ): Promise<Answer> {
    const askedAt = performance.now()
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { ...bearer(token), ...(body && { 'content-type': 'application/json' }), ...headers },
      body: body ? JSON.stringify(body) : null,
      signal: AbortSignal.timeout(patienceMs),
    })
    const text = await response.text()
    return {
      status: response.status,
      body: text ? JSON.parse(text) : {},
      cookies: response.headers.getSetCookie(),
      askedAt,
      tookMs: performance.now() - askedAt,
    }
  }

  return {
    ...speaking(ask),
    signal: (signal) => { child.kill(signal) },
    complaints: () => Buffer.concat(complaints).toString(),
    kill,
    ended,
  }
}

/** So many servers at once, on one database. */
export function startServers (t: Ending, count: number, options: AccountsOptions & { db: string }): Promise<Server[]> {
  return Promise.all(Array.from({ length: count }, () => startServer(t, options)))
}

/** What can be said, by a way to ask. */
export function speaking (ask: Speaker['ask']): Speaker {
  return {
    ask,
    register: (username) => ask('POST', '/auth/register', undefined, { username, password }),
    login: (username, secretWord = password) =>
      ask('POST', '/auth/login', undefined, { username, password: secretWord }),
    refresh: (refreshToken) => ask('POST', '/auth/refresh', undefined, { refresh_token: refreshToken }),
    logout: (refreshToken) => ask('POST', '/auth/logout', undefined, { refresh_token: refreshToken }),
    lets: async (accessToken, path = '/guarded') => (await ask('GET', path, accessToken)).status,
  }
}
