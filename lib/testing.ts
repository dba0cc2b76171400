import { createHash } from 'node:crypto'
import { mock } from 'node:test'
import type { FastifyInstance } from 'fastify'
import type {
  AccountsServices, AnyReply, CookieResponse, Duration, Level, ManagedUser, NewUser, PasswordHasher, SessionData,
  TokenResponse, Transport
} from '../types/index.ts'
import { stepAt } from './features/totp/step.ts'
import { toolboxOf } from './features/totp/toolbox.ts'
import { inSeconds, isDuration } from './checks/durations.ts'
import { isEqual } from './secrets/equal.ts'
import { OptionsInvalid } from './http/errors.ts'
import { failMailOf, flushMailOf, testOutboxOf, type TestOutbox } from './mail/testing.ts'
import { knownOptions } from './http/service-options.ts'

export { softPasskey } from './features/passkeys/testing.ts'
export type { SoftCredential, SoftPasskey, SoftPasskeyOptions } from './features/passkeys/testing.ts'
export type { KeptMail } from './mail/dev-outbox.ts'
export type { TestOutbox } from './mail/testing.ts'

/** Which accounts of the app, and how the tokens travel. */
export interface SignInOptions {
  /** The name of the accounts. Default `'accounts'`. */
  name?: string
  /** Default cookies, where the app's `transport` is not `'body'`. */
  transport?: Transport
  /** What the session holds (`sessions.data`). Default what `hooks.onSession` gives. */
  data?: SessionData | null
  /** How well it was proved who it is, with the option `factors` or `passkeys`. Default by one factor. */
  acr?: Level
}

/** A user who is signed in, and what their requests bring. */
export interface SignedIn<Tokens = TokenResponse | CookieResponse> {
  user: ManagedUser
  tokens: Tokens
  /** For `app.inject({ headers })`. */
  headers: Record<string, string>
  /** By name. None where the tokens travel in bodies. */
  cookies: Record<string, string>
}

/**
 * Signs somebody in for a test, in about a millisecond: no password is asked for or hashed. The session is as fresh as
 * after a login. Who is there stays as they are; who is not is made, with the roles and fields that are given.
 * @throws {InputInvalid} for what no user can be
 * @throws {NotFound} for a user who is disabled
 * @throws {FactorRequired} for a user with a second factor, where no `acr` is given
 * @throws {OptionsInvalid} for options that are not
 */
export function signIn (
  app: AnyApp, user: string | NewUser | undefined, options: SignInOptions & { transport: 'body' }
): Promise<SignedIn<TokenResponse>>
export function signIn (app: AnyApp, user?: string | NewUser, options?: SignInOptions): Promise<SignedIn>
export async function signIn (
  app: AnyApp, user: string | NewUser = 'ada', options: SignInOptions = {}
): Promise<SignedIn> {
  const { name = 'accounts', transport, data, acr } =
    knownOptions('signIn', ['name', 'transport', 'data', 'acr'], options)
  if (!app.hasDecorator(name)) await app.ready()
  if (!app.hasDecorator(name)) throw new OptionsInvalid(`there are no accounts named ${name} in this app`)

  const { users, issueTokens } = app.getDecorator<AccountsServices>(name)
  const wanted: NewUser = typeof user === 'string' ? { [user.includes('@') ? 'email' : 'username']: user } : user
  const found = await findOrMake(users, wanted)

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

/** What a session of a level has proved, usually. */
const methodsOf: Record<Level, string[]> = { aal1: ['pwd'], aal2: ['pwd', 'otp', 'mfa'], phr: ['pop', 'user', 'mfa'] }

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
 * For the option `password.hasher` of a test: takes no time, and protects nothing.
 * @throws {OptionsInvalid} where `NODE_ENV` is `'production'`
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
 * The mails that the accounts of an app have sent, which stay in memory where the option `mail` has no `send` and no
 * `smtp`.
 * @throws {OptionsInvalid} for options that are not, and for accounts without such mails
 */
export function outbox (app: AnyApp, options: MailOptions = {}): TestOutbox {
  return testOutboxOf(servicesOf(app, 'outbox', options))
}

/**
 * Sends all mails that are due, and waits for it: also those that somebody has just asked for, which wait a moment.
 * @throws {OptionsInvalid} for options that are not, and for accounts without mails
 */
export async function flushMail (app: AnyApp, options: MailOptions = {}): Promise<void> {
  await flushMailOf(servicesOf(app, 'flushMail', options))
}

/**
 * Has the next mails of an app fail with this error, so many times: with `permanent: true` on it they are given up.
 * @throws {OptionsInvalid} for options that are not, and for accounts without mails in memory
 */
export function failMail (app: AnyApp, error: Error, times = 1, options: MailOptions = {}): void {
  failMailOf(servicesOf(app, 'failMail', options), error, times)
}

function servicesOf (app: AnyApp, call: string, options: MailOptions): object {
  const { name = 'accounts' } = knownOptions(call, ['name'], options)
  if (!app.hasDecorator(name)) throw new OptionsInvalid(`there are no accounts named ${name} in this app`)
  return app.getDecorator<object>(name)
}

/** The authenticator app of a user in a test. */
export interface TestTotp {
  /**
   * A code that was not used yet, as the app shows it. Two fit at a time: then the clock has to move on.
   * @throws {Error} for a third one
   */
  code: () => string
  recoveryCodes: string[]
}

/**
 * Sets an authenticator app up for a user, by id, name or address, in place of any before, and ends their sessions.
 * @throws {NotFound} for a user who is not there
 * @throws {OptionsInvalid} for accounts without the option `factors`, and where `NODE_ENV` is `'production'`
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

/** The time, in the hands of a test. */
export interface Clock {
  /** Moves it on, by a text such as `'31s'` or by seconds. */
  advance: (by: Duration) => void
  /** Gives the time back. */
  restore: () => void
}

/**
 * Stops the time of this process, from `now` or from this moment on, so that a test can see things expire. Timers go
 * on: only `Date` stands still, until it is moved. `prune()` goes by it. Uses the mock timers of node:test, of which
 * there is one set.
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
