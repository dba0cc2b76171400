// Checked by the compiler alone: what the plugin promises to TypeScript.
import Fastify, { type FastifyInstance } from 'fastify'
import accounts, { errors, type AccountsOptions, type AccountsUser, type AnyAuth, type ManagedUser, type RequestAuth, type SessionInfo } from '../../lib/index.ts'
import type { FilledOptions } from '../../lib/options.ts'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
type Callback = (...args: any[]) => unknown
type Filled<T> = T extends Callback | unknown[] ? T
  : T extends object ? { [K in keyof T]-?: Filled<NonNullable<T[K]>> } : T
type Flat<T> = T extends Callback | unknown[] ? T : T extends object ? { [K in keyof T]-?: Flat<NonNullable<T[K]>> } : T

function expect<Truth extends true> (): Truth | void {}

// The interface that an editor shows and the schema that checks are the same options.
expect<Equal<Filled<Omit<AccountsOptions, 'secret' | 'orm'>>, Flat<FilledOptions>>>()

const app: FastifyInstance = Fastify()
await app.register(accounts)
await app.register(accounts, { access: { expiresIn: 900 }, refresh: { window: 0, maxAge: '90d' }, routes: { me: false, logout: '/bye' } })
// @ts-expect-error an option that is not there
await app.register(accounts, { acess: {} })
// @ts-expect-error an option of another type
await app.register(accounts, { refresh: { replay: 'always' } })

app.get('/', { preHandler: app.authenticate }, async ({ user, auth }) => {
  expect<Equal<typeof user, AccountsUser>>()
  expect<Equal<typeof auth, RequestAuth>>()
  return user.roles.includes('admin') && auth.claims.sub
})
app.get('/hooks', { onRequest: [app.authenticate], preValidation: app.authenticateRefresh }, async () => 1)
app.addHook('preHandler', app.authenticate)
app.get('/admins', { preHandler: app.accounts.guard({ roles: ['admin'], fresh: '5m', check: ({ roles }, { ip }) => roles.length > 0 && ip !== '' }) }, async () => 1)
app.accounts.protect(app, { optional: 'or-expired' })
app.get('/free', { config: { auth: false } }, async () => 1)
// @ts-expect-error a switch that is not there
app.accounts.guard({ role: 'admin' })
Fastify({ http2: true }).get('/', { preHandler: app.authenticate }, async () => 1)

new errors.TokenRevoked().statusCode satisfies number | undefined

expect<Equal<Awaited<ReturnType<typeof app.accounts.users.find>>, ManagedUser | null>>()
const ada = await app.accounts.users.create({ username: 'ada', roles: ['admin'] })
// @ts-expect-error a field that the app has not told of
await app.accounts.users.create({ username: 'ada', displayName: 'Ada' })
// @ts-expect-error roles are given by setRoles
await app.accounts.users.update(ada.id, { roles: ['admin'] })
// @ts-expect-error options that a service does not have
await app.accounts.users.create({ username: 'ada' }, { tx: undefined })
// @ts-expect-error revoke has none
await app.accounts.revoke('token', {})
await app.register(accounts, { messages: { ACCOUNTS_TOKEN_MISSING: 'Wer da?', ACCOUNTS_BUSY: (request, message) => `${request.id}: ${message}` } })
// @ts-expect-error a code that there is not
await app.register(accounts, { messages: { ACCOUNTS_TOKEN_MISING: 'Wer da?' } })
await app.register(accounts, { access: { expiresIn: '15m' }, refresh: { expiresIn: 900, maxAge: '2w', window: '30s' }, revocation: { pollInterval: '1s' }, prune: { interval: '12h' } })
// @ts-expect-error a duration in other words
await app.register(accounts, { access: { expiresIn: '15 minutes' } })
// @ts-expect-error it could be seconds or milliseconds
app.accounts.guard({ fresh: '900' })
ada.disabledAt satisfies Date | null
const sessions: SessionInfo[] = await app.accounts.sessions.list(ada.id)
await app.accounts.sessions.revokeAll(ada.id, sessions[0] ? { except: sessions[0].id } : {})
await app.register(accounts, { password: { check: async (password, { username, email }) => password !== username && password !== email ? true : 'must not be a name', breached: {} } })
// @ts-expect-error no is a text that says why
await app.register(accounts, { password: { check: () => false } })
// @ts-expect-error roles are a list
await app.accounts.users.setRoles(ada.id, 'admin')
await app.register(accounts, { hooks: { onRegister: async (em, { id }) => { await app.accounts.users.setRoles(id, ['member'], { em }) } } })
// @ts-expect-error a hook that there is not
await app.register(accounts, { hooks: { onRegistred: () => {} } })
// Behind a guard that takes API keys there may be no session, and elsewhere there is one.
app.get('/keyed', { preHandler: app.accounts.guard({ keys: true }) }, async (request) => {
  const auth = request.auth as AnyAuth
  expect<Equal<typeof auth.sessionId, string | undefined>>()
  if (auth.keyId !== undefined) expect<Equal<typeof auth.scopes, readonly string[]>>()
  else expect<Equal<typeof auth.sessionId, string>>()
})
