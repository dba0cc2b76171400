import { createHash } from 'node:crypto'
import { mock } from 'node:test'
import type { FastifyInstance } from 'fastify'
import type {
  AccountsServices, AnyReply, BorrowedResponse, CookieResponse, Duration, Level, ManagedUser, NewUser, PasswordHasher,
  SessionData, TokenResponse, Transport
} from '../types/index.ts'
import { sealerOf } from './features/audit/testing.ts'
import { stepAt } from './features/totp/step.ts'
import { toolboxOf } from './features/totp/toolbox.ts'
import { inSeconds, isDuration } from './checks/durations.ts'
import { isEqual } from './secrets/equal.ts'
import { OptionsInvalid } from './http/errors.ts'
import { failMailOf, flushMailOf, testOutboxOf, type TestOutbox } from './mail/testing.ts'
import { knownOptions } from './http/service-options.ts'

export { fakeProvider } from './features/providers/testing.ts'
export type { FakeProvider, FakeProviderOptions, MadeIdToken } from './features/providers/testing.ts'
export { softPasskey } from './features/passkeys/testing.ts'
export type { SoftCredential, SoftPasskey, SoftPasskeyOptions } from './features/passkeys/testing.ts'
export type { KeptMail } from './mail/dev-outbox.ts'
export type { TestOutbox } from './mail/testing.ts'

/** Which accounts of the app, and how the tokens are sent. */
export interface SignInOptions {
  /** The name of the accounts. Default `'accounts'`. */
  name?: string
  /** Default cookies, if the app's `transport` is not `'body'`. */
  transport?: Transport
  /** The data of the session (`sessions.data`). Default the result of `hooks.onSession`. */
  data?: SessionData | null
  /** The level of authentication, with the option `factors` or `passkeys`. Default one factor. */
  acr?: Level
  /**
   * The admin who has borrowed the session (`admin.impersonation`), by name or address; a missing one is created with
   * the role `admin`. Only `name` goes with it.
   */
  actor?: string | NewUser
}

/** A signed-in user, with the headers and cookies of their requests. */
export interface SignedIn<Tokens = TokenResponse | CookieResponse | BorrowedResponse> {
  user: ManagedUser
  tokens: Tokens
  /** For `app.inject({ headers })`. */
  headers: Record<string, string>
  /** The cookies by name. None if tokens are sent in bodies. */
  cookies: Record<string, string>
}

/**
 * Signs a user in for a test, in about a millisecond: no password is required or hashed. The session is as fresh as
 * after a login. An existing user stays unchanged; a missing one is created, with the given roles and fields.
 * @throws {InputInvalid} for an invalid user
 * @throws {NotFound} for a disabled user
 * @throws {FactorRequired} for a user with a second factor, if `acr` is not given
 * @throws {Forbidden} for an `actor` who may not borrow a session of the user
 * @throws {OptionsInvalid} for unknown options
 */
export function signIn (
  app: AnyApp, user: string | NewUser | undefined, options: SignInOptions & { transport: 'body' }
): Promise<SignedIn<TokenResponse>>
export function signIn (
  app: AnyApp, user: string | NewUser | undefined, options: SignInOptions & { actor: string | NewUser }
): Promise<SignedIn<BorrowedResponse>>
export function signIn (
  app: AnyApp, user?: string | NewUser, options?: SignInOptions & { actor?: undefined }
): Promise<SignedIn<TokenResponse | CookieResponse>>
export async function signIn (
  app: AnyApp, user: string | NewUser = 'ada', options: SignInOptions = {}
): Promise<SignedIn> {
  const { name = 'accounts', actor, ...how } =
    knownOptions('signIn', ['name', 'transport', 'data', 'acr', 'actor'], options)
  if (!app.hasDecorator(name)) await app.ready()
  if (!app.hasDecorator(name)) throw new OptionsInvalid(`there are no accounts named ${name} in this app`)

  const { users, issueTokens } = app.getDecorator<AccountsServices>(name)
  const found = await findOrMake(users, wantedOf(user))
  if (actor !== undefined) return borrow(users, found, actor, how)

  const { transport, data, acr } = how
  const set: string[] = []
  const wishes = {
    ...transport !== 'body' && { reply: jar(set) },
    ...transport && { transport },
    ...data !== undefined && { data },
    ...acr && { acr, amr: methodsOf[acr] },
  }
  const tokens = await issueTokens(found, { authTime: new Date(), ...wishes })
  if ('access_token' in tokens) {
    return { user: found, tokens, headers: { authorization: `Bearer ${tokens.access_token}` }, cookies: {} }
  }

  const pairs = set.map((cookie) => cookie.split(';')[0]!)
  const cookies = Object.fromEntries(pairs.map((pair) =>
    [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]))
  // As a page of the app's own would send them.
  return { user: found, tokens, headers: { cookie: pairs.join('; '), 'sec-fetch-site': 'same-origin' }, cookies }
}

function wantedOf (user: string | NewUser): NewUser {
  return typeof user === 'string' ? { [user.includes('@') ? 'email' : 'username']: user } : user
}

/** A session that an admin has borrowed. */
async function borrow (
  users: AccountsServices['users'], user: ManagedUser, actor: string | NewUser, others: object
): Promise<SignedIn<BorrowedResponse>> {
  const [other] = Object.keys(others)
  if (other) throw new OptionsInvalid(`signIn() has no ${other} for a session that is borrowed`)
  const admin = await findOrMake(users, { roles: ['admin'], ...wantedOf(actor) })
  const tokens = await users.impersonate(user.id, { actorId: admin.id, reason: 'A test' })
  return { user, tokens, headers: { authorization: `Bearer ${tokens.access_token}` }, cookies: {} }
}

/** What a session of a level has proved, usually. */
const methodsOf: Record<Level, string[]> = { aal1: ['pwd'], aal2: ['pwd', 'otp', 'mfa'], phr: ['pop', 'user', 'mfa'] }

/** Whose a key is, and what requests with it bring. */
export interface KeyOfTest {
  user: ManagedUser
  /** The text of the key. */
  key: string
  id: string
  /** For `app.inject({ headers })`. */
  headers: Record<string, string>
}

/**
 * Makes an API key for a test. Whoever is there stays as they are; who is not is made, with the roles and fields that
 * are given.
 * @throws {InputInvalid} for what no user can be, and for scopes that the option `keys.scopes` does not have
 * @throws {OptionsInvalid} for options that are not, and for accounts without the option `keys`
 */
export async function apiKey (
  app: AnyApp, user: string | NewUser = 'ada', options: MailOptions & { scopes?: string[] } = {}
): Promise<KeyOfTest> {
  const { name, scopes } = knownOptions('apiKey', ['name', 'scopes'], options)
  if (!app.hasDecorator(name ?? 'accounts')) await app.ready()
  const { keys, users } = servicesOf(app, 'apiKey', name === undefined ? {} : { name }) as AccountsServices
  if (!keys) throw new OptionsInvalid('apiKey() needs the option keys')
  const found = await findOrMake(users, wantedOf(user))
  const { key, id } = await keys.create(found.id, { name: 'Test', ...scopes && { scopes } })
  return { user: found, key, id, headers: { authorization: `Bearer ${key}` } }
}

/** An app of any kind. */
type AnyApp = FastifyInstance<any, any, any, any, any>

/** Tests that sign in the same user at once make them once. */
async function findOrMake (users: AccountsServices['users'], wanted: NewUser): Promise<ManagedUser> {
  const find = async () => users.find(wanted.username ?? wanted.email ?? '')
  return await find() ?? await users.create(wanted).catch(async (error) => {
    const user = await find()
    if (!user) throw error
    return user
  })
}

/** A reply that keeps the cookies that it is given. */
function jar (cookies: string[]): AnyReply {
  return { header: (_: string, cookie: string) => { cookies.push(cookie) } } as unknown as AnyReply
}

/**
 * For the option `password.hasher` in tests: takes no time, and protects nothing.
 * @throws {OptionsInvalid} if `NODE_ENV` is `'production'`
 */
export const fastHasher: PasswordHasher = {
  /** A hash that only this verifies. */
  hash: digest,
  /** Compares. */
  verify: async (hash, password) => isEqual(hash, await digest(password)),
  /** True for hashes that others have made. */
  needsRehash: (hash) => !hash.startsWith('$fast$'),
}

async function digest (password: string): Promise<string> {
  refuseProduction('fastHasher')
  return `$fast$${createHash('sha256').update(password.normalize('NFKC')).digest('base64url')}`
}

/** Which accounts of the app. */
export interface MailOptions {
  /** The name of the accounts. Default `'accounts'`. */
  name?: string
}

/**
 * The mails that the accounts of an app have sent. They stay in memory if the option `mail` has neither `send` nor
 * `smtp`.
 * @throws {OptionsInvalid} for unknown options, and for accounts without such mails
 */
export function outbox (app: AnyApp, options: MailOptions = {}): TestOutbox {
  return testOutboxOf(servicesOf(app, 'outbox', options))
}

/**
 * Sends all due mails and waits for them, including those that were just requested and wait a moment.
 * @throws {OptionsInvalid} for unknown options, and for accounts without mails
 */
export async function flushMail (app: AnyApp, options: MailOptions = {}): Promise<void> {
  await flushMailOf(servicesOf(app, 'flushMail', options))
}

/**
 * Makes the next mails of an app fail with this error, this many times. With `permanent: true` on the error they are
 * given up.
 * @throws {OptionsInvalid} for unknown options, and for accounts without mails in memory
 */
export function failMail (app: AnyApp, error: Error, times = 1, options: MailOptions = {}): void {
  failMailOf(servicesOf(app, 'failMail', options), error, times)
}

/**
 * Seals all events that are stored by now (`events.seal`), and waits for it.
 * @throws {OptionsInvalid} for options that are not, and for accounts that seal no events
 */
export async function sealEvents (app: AnyApp, options: MailOptions = {}): Promise<void> {
  const { events } = servicesOf(app, 'sealEvents', options) as Pick<AccountsServices, 'events'>
  await sealerOf(events).seal()
}

function servicesOf (app: AnyApp, call: string, options: MailOptions): object {
  const { name = 'accounts' } = knownOptions(call, ['name'], options)
  if (!app.hasDecorator(name)) throw new OptionsInvalid(`there are no accounts named ${name} in this app`)
  return app.getDecorator<object>(name)
}

/** The authenticator app of a user in a test. */
export interface TestTotp {
  /**
   * An unused code, as the app shows it. There are two at a time; then the clock has to advance.
   * @throws {Error} for a third one
   */
  code: () => string
  recoveryCodes: string[]
}

/**
 * Sets up an authenticator app for a user, by id, user name or address, replaces an earlier one, and ends their
 * sessions.
 * @throws {NotFound} if the user does not exist
 * @throws {OptionsInvalid} for accounts without the option `factors`, and if `NODE_ENV` is `'production'`
 */
export async function enrolTotp (
  app: AnyApp, user: string | { id: string }, options: MailOptions = {}
): Promise<TestTotp> {
  refuseProduction('enrolTotp')
  const { factors, users } = servicesOf(app, 'enrolTotp', options) as AccountsServices
  const { enrol } = toolboxOf(factors)
  const id = typeof user === 'string' ? (await users.find(user))?.id ?? user : user.id
  const { codeAt, lastStep, recoveryCodes } = await enrol(id)
  let last = lastStep

  return {
    recoveryCodes,
    code () {
      const step = stepAt(Date.now())
      const next = Math.max(last + 1, step)
      if (next > step + 1) throw new Error('Both codes of this time were used: move the clock on by 30 s')
      last = next
      return codeAt(next)
    },
  }
}

function refuseProduction (name: string): void {
  if (process.env.NODE_ENV === 'production') {
    throw new OptionsInvalid(`${name} is for tests, and NODE_ENV is production`)
  }
}

/** Controls the time of a test. */
export interface Clock {
  /** Advances the time, by a duration such as `'31s'` or a number of seconds. */
  advance: (by: Duration) => void
  /** Restores the real time. */
  restore: () => void
}

/**
 * Stops the time of this process at `now` or at the current time, so that a test can see things expire. Timers keep
 * running: only `Date` stands still, until it is advanced. `prune()` uses it. It uses the mock timers of node:test, of
 * which there is one set.
 */
export function clock (now: Date | number = Date.now()): Clock {
  mock.timers.enable({ apis: ['Date'], now })
  return {
    advance (by) {
      if (!isDuration(by, { zero: true })) {
        throw new OptionsInvalid("advance() needs a duration such as '31s', or whole seconds")
      }
      mock.timers.tick(inSeconds(by) * 1000)
    },
    restore: () => mock.timers.reset(),
  }
}
