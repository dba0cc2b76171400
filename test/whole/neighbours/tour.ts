import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import type { Test } from 'tap'
import { isDeepStrictEqual } from 'node:util'
import accounts, { type AccountsOptions } from '../../../lib/index.ts'
import { bearer, cheap, password, secret } from '../../support/build.ts'
import { Fastify } from '../../support/fastify.ts'

/** What a host does to its app. */
export type Host = (app: FastifyInstance) => unknown

/** What every request of a tour needs: the wire, or `app.inject`. */
export type Send = (request: {
  method: 'GET' | 'POST' | 'HEAD'
  url: string
  token?: string
  body?: object
}) => Promise<Answer>

export interface Answer {
  statusCode: number
  headers: Record<string, unknown>
  body: string
}

/** One answer of a tour, without what differs from one account to the next. */
export interface Stop {
  what: string
  status: number
  type: unknown
  challenge: unknown
  body: string
}

/** An app that is closed with the test. */
export function open (t: Test, server: FastifyServerOptions = {}): FastifyInstance {
  const app: FastifyInstance = Fastify(server)
  t.teardown(() => app.close())
  return app
}

/** Accounts that cost little, in memory. */
export async function addAccounts (app: FastifyInstance, options: AccountsOptions = {}): Promise<void> {
  await app.register(accounts, { db: ':memory:', secret, password: cheap, throttle: false, ...options })
}

/** Routes of the host that ask for a token in each of the ways there are. */
export async function addRoutes (
  app: FastifyInstance,
  guard = app.authenticate,
  protect = app.accounts.protect
): Promise<void> {
  const handler = async ({ user, auth }: { user: unknown; auth: { instance: string } }) => ({
    user,
    instance: auth.instance,
  })
  app.get('/guarded', { preHandler: guard }, handler)
  app.get('/early', { onRequest: [guard] }, handler)
  app.post('/refreshing', { preHandler: app.authenticateRefresh }, handler)
  await app.register(
    async (scope) => {
      protect(scope)
      scope.get('/inside', handler)
    },
    { prefix: '/closed' }
  )
}

/** Sends requests into an app, below the path of the scope that holds the accounts. */
export function inject (app: FastifyInstance, scope = ''): Send {
  return ({ method, url, token, body }) =>
    app.inject({ method, url: scope + url, headers: bearer(token), ...body && { payload: body } })
}

/** A name for the next account: tours may share an app. */
let accountsMade = 0

/** From the registration of an account to the end of its session, and every refusal that a client meets. */
export async function tour (send: Send, { prefix = '/auth', wrapped = (body: string) => body } = {}): Promise<Stop[]> {
  const stops: Stop[] = []
  const username = `ada${++accountsMade}`

  async function visit (what: string, request: Parameters<Send>[0]) {
    const { statusCode, headers, body } = await send(request)
    stops.push({
      what,
      status: statusCode,
      type: headers['content-type'],
      challenge: headers['www-authenticate'],
      body: alike(body, username),
    })
    return body
  }
  const tokensOf = (body: string): { access_token: string, refresh_token: string } => JSON.parse(wrapped(body))

  await visit('register', { method: 'POST', url: `${prefix}/register`, body: { username, password } })
  await visit('register again', { method: 'POST', url: `${prefix}/register`, body: { username, password } })
  await visit('wrong password', {
    method: 'POST',
    url: `${prefix}/login`,
    body: { username, password: `${password}!` },
  })
  await visit('wrong body', { method: 'POST', url: `${prefix}/login`, body: { username, password, role: 'admin' } })
  const first = tokensOf(await visit('login', { method: 'POST', url: `${prefix}/login`, body: { username, password } }))
  for (const url of [`${prefix}/me`, '/guarded', '/early', '/closed/inside']) {
    await visit(url, { method: 'GET', url, token: first.access_token })
    await visit(`${url} without a token`, { method: 'GET', url })
    await visit(`${url} with a bad token`, { method: 'GET', url, token: 'bad' })
    await visit(`${url} with a refresh token`, { method: 'GET', url, token: first.refresh_token })
  }
  await visit('authenticateRefresh', {
    method: 'POST',
    url: '/refreshing',
    body: { refresh_token: first.refresh_token },
  })
  const next = tokensOf(
    await visit('refresh', { method: 'POST', url: `${prefix}/refresh`, body: { refresh_token: first.refresh_token } })
  )
  await visit('reauthenticate', {
    method: 'POST',
    url: `${prefix}/reauthenticate`,
    body: { password },
    token: next.access_token,
  })
  await visit('logout', { method: 'POST', url: `${prefix}/logout`, body: { refresh_token: next.refresh_token } })
  for (const url of [`${prefix}/me`, '/guarded', '/early', '/closed/inside']) {
    await visit(`${url} after the logout`, { method: 'GET', url, token: next.access_token })
  }
  await visit('refresh after the logout', {
    method: 'POST',
    url: `${prefix}/refresh`,
    body: { refresh_token: next.refresh_token },
  })
  return stops
}

/** Tokens, ids and the seconds that are left differ from one tour to the next. */
function alike (body: string, username: string): string {
  return body
    .replaceAll(/ey[\w-]+\.[\w-]+\.[\w-]+/g, 'token')
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'id')
    .replaceAll(/(?<=expires_in":)\d+/g, '1')
    .replaceAll(username, 'ada')
}

let usual: Promise<Stop[]> | undefined

/** The tour of an app with nothing but us. */
export function usualTour (t: Test): Promise<Stop[]> {
  usual ??= (async () => {
    const app = open(t)
    await addAccounts(app)
    await addRoutes(app)
    return tour(inject(app))
  })()
  return usual
}

/** What `t.strictSame` says; it takes long over much that is equal. */
export function same (t: Test, found: unknown, wanted: unknown, message = 'the same'): void {
  if (isDeepStrictEqual(found, wanted)) t.pass(message)
  else t.strictSame(found, wanted, message)
}
