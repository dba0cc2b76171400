import { createHmac, hkdfSync } from 'node:crypto'
import type { FastifyInstance, FastifyServerOptions, InjectOptions } from 'fastify'
import type { Test } from 'tap'
import accounts, { type AccountsOptions, type TokenResponse } from '../../lib/index.ts'
import { freshDatabase, kind, open } from './databases.ts'
import { Fastify } from './fastify.ts'
import { migratedDatabase } from './spares.ts'

export const secret = 'Zq8vT2kLw9XcR5nYb3HjM7pFs1DgA4uE'
export const password = 'correct horse battery staple'

/** Hashes in a millisecond what takes 20 in production, for as many at once as a test sends from one address. */
export const cheap = { argon2: { memoryCost: 1024, timeCost: 2, parallelism: 1 }, waiting: 1000 }

/**
 * An app with accounts on an empty database, a few guarded routes, and a way to talk to it; it is closed with the test.
 */
export async function build (t: Test, options: AccountsOptions = {}, server: FastifyServerOptions = {}) {
  const db = options.db ?? (options.orm ? undefined : await emptyDatabase(t))
  const app: FastifyInstance = Fastify(server)
  t.teardown(() => app.close())
  await app.register(accounts, {
    ...(db !== undefined && { db }),
    secret,
    throttle: false,
    ...options,
    password: { ...(options.password?.hasher ? {} : cheap), ...options.password },
  })

  app.get('/open', async ({ user, auth }) => ({ user, auth }))
  app.get('/guarded', { preHandler: app.authenticate }, async ({ user, auth }) => ({ user, auth }))
  app.get('/strict', { preHandler: app.accounts.guard({ consistency: 'strict' }) }, async ({ user, auth }) => ({
    user,
    auth,
  }))
  app.post('/guarded', { preHandler: app.authenticate }, async ({ user }) => user)
  app.post('/with-refresh', { preHandler: app.authenticateRefresh }, async ({ user, auth }) => ({ user, auth }))

  return { app, ...client(app) }
}

/** What suits an app that nobody looks behind. */
export async function emptyDatabase (t: Test): Promise<string> {
  return kind === 'sqlite' ? ':memory:' : migratedDatabase(t, kind)
}

/** The same, so that the rows can be looked at and a second process can come after the first. */
export async function buildOnFile (t: Test, options: AccountsOptions = {}, server: FastifyServerOptions = {}) {
  const db = options.db ?? await (kind === 'sqlite' ? freshDatabase(t) : migratedDatabase(t, kind))
  const built = await build(t, { ...options, db }, server)
  const sql = open(db)
  t.teardown(() => sql.close())
  return { ...built, db, sql }
}

export function client (app: FastifyInstance) {
  const get = (url: string, token?: string) => app.inject({ url, headers: bearer(token) })
  const post = (url: string, payload?: InjectOptions['payload'], token?: string) =>
    app.inject({ method: 'POST', url, headers: bearer(token), ...payload === undefined ? {} : { payload } })

  return {
    get,
    post,
    /** Opens an account and gives its tokens. */
    async signUp (username = 'ada'): Promise<TokenResponse> {
      return (await post('/auth/register', { username, password })).json()
    },
    /** Signs in once more, in a session of its own. */
    async signIn (username = 'ada'): Promise<TokenResponse> {
      return (await post('/auth/login', { username, password })).json()
    },
    /** Refreshes with the token in the body. */
    refresh: (refreshToken: string) => post('/auth/refresh', { refresh_token: refreshToken }),
  }
}

/** Fields of users that this app has not told TypeScript of. */
export function untold<Fields extends object> (fields: Fields): Fields {
  return fields
}

export function bearer (token?: string): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` }
}

/** The key that refresh tokens are signed with; access tokens are signed with the secret itself. */
export const refreshKey = Buffer.from(hkdfSync('sha256', secret, '', 'fastify-jwt-accounts/refresh/v1', 32))

/** The key that tickets are signed with. */
export const ticketKey = Buffer.from(hkdfSync('sha256', secret, '', 'fastify-jwt-accounts/ticket/v1', 32))

export function encode (part: unknown): string {
  return Buffer.from(typeof part === 'string' || Buffer.isBuffer(part) ? part : JSON.stringify(part)).toString(
    'base64url'
  )
}

/** Signs anything as a token, right or wrong, with the server's own key unless another is given. */
export function mint (header: unknown, payload: unknown, key: string | Buffer = secret, hash = 'sha256'): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${createHmac(hash, key).update(input).digest('base64url')}`
}

export function decode (token: string): { header: Record<string, any>, payload: Record<string, any> } {
  const [header, payload] = token.split('.').map((part) => Buffer.from(part, 'base64url').toString())
  return { header: JSON.parse(header!), payload: JSON.parse(payload!) }
}
