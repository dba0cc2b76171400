import type { EntityManager } from '@mikro-orm/core'
import { Type, type Static, type TObject, type TSchema } from '@sinclair/typebox'
import { inSeconds } from '../checks/durations.ts'
import { schemaProblem } from '../checks/given-schema.ts'
import { Callable, DurationSchema, Group, OneOf } from '../checks/kinds.ts'
import { named } from '../checks/sentences.ts'
import { settled, type Filled, type Loose } from '../checks/slice.ts'
import type { TypeBox1Schema } from '../checks/typebox-1.ts'
import type { Telling } from '../host/hooks.ts'
import type { HttpSettings } from '../http/options.ts'
import type { AnyRequest, RequestSource } from '../http/request.ts'
import { options as tokenOptions, type TokenSettings } from '../tokens/options.ts'
import type { AccountsUser } from '../users/public-user.ts'
import type { SessionData } from './data.ts'

/**
 * The app's own message bus: receives a function to call when another process has sent a message, and returns a
 * function that sends one.
 */
export type Wake = (onMessage: () => void) => (() => void) | void | Promise<(() => void) | void>

/** Called in the transaction of a registration. */
export type OnRegister = (em: EntityManager, user: AccountsUser, body: Record<string, unknown>) => unknown

/** Returns the data of a new session. */
export type OnSession = (
  user: AccountsUser, request?: AnyRequest
) => SessionData | null | undefined | Promise<SessionData | null | undefined>

/** Called with a user and the source of the request. */
export type OnUser = (user: AccountsUser, source: RequestSource) => unknown

/** Called with a new user. The source is null for users that code has created. */
export type OnRegistered = (user: AccountsUser, source: RequestSource | null) => unknown

/** Called with what was typed as a user name or address. */
export type OnLoginFailed = (identifier: string, source: RequestSource) => unknown

/** Called with the session that was ended. */
export type OnReuse = (ended: { userId: string, sessionId: string }) => unknown

export const options = {
  refresh: Group({
    expiresIn: DurationSchema('30d', {
      env: 'JWT_REFRESH_TOKEN_EXPIRES', description: 'How long a session may be idle. Each refresh extends it.',
    }),
    maxAge: DurationSchema('180d', {
      description: 'The maximum lifetime of a session, however often it is ' +
      'refreshed.'
    }),
    window: DurationSchema('30s', {
      zero: true,
      description: 'How long a used refresh token is answered again, with a token of the next generation. 0 makes ' +
        'every token work once ([why](sessions.md#why-a-spent-token-is-answered)).',
    }),
    replay: OneOf(['until-confirmed', 'until-superseded'], {
      default: 'until-confirmed',
      description: 'Until when a client may repeat a refresh whose response was lost, after the window ' +
        '([why](sessions.md#why-a-spent-token-is-answered)).',
    }),
  }),
  sessions: Group({
    max: Type.Integer({
      default: 50,
      minimum: 1,
      maximum: 1000,
      description: 'The maximum number of sessions of a user, up to 1000. Simultaneous logins do not exceed it.',
    }),
    whenFull: OneOf(['end-oldest', 'refuse'], {
      default: 'end-oldest',
      description: 'Whether a further login ends the least recently used session, or is refused with 403 ' +
        '`ACCOUNTS_SESSIONS_FULL`.',
    }),
    data: Type.Optional(Type.Unsafe<TSchema | TypeBox1Schema>({
      type: 'object',
      tsType: 'TSchema | TypeBox1Schema',
      description: 'The schema of your own data of a session, such as the active tenant: a `Type.Object` of ' +
        '`@sinclair/typebox` 0.34 or `typebox` 1. At most 4096 bytes as JSON. It is set by `hooks.onSession`, ' +
        '`issueTokens` or `app.accounts.sessions.setData`, and passed to `claims`. Unknown members are refused, at ' +
        'every depth ([recipe](recipes.md#a-tenant-for-each-session)).',
    })),
  }),
  revocation: Group({
    pollInterval: DurationSchema('1s', {
      most: 60, description: 'How often the log of revocations is checked, up to a minute: one read of one row.',
    }),
    maxStaleness: DurationSchema('5s', {
      most: 300,
      description: 'After this time without a successful read of the log, guards query the database, or answer ' +
        '503. Longer than `pollInterval`, up to 5 minutes.',
    }),
    wake: Callable<Wake>('Wake', {
      description: 'A message bus of your own: `(onMessage) => tell`, or a promise of it, called once. Call ' +
        '`onMessage` when another process has sent a message; `tell` is called when this process has revoked ' +
        'something. Messages are only hints and may be late or lost ([how](operations.md)).',
    }),
  }, { description: 'How soon this process learns what others have revoked.' }),
}

/** What is told of sessions, and asked. */
export const hooks = {
  onRegister: Callable<OnRegister>('OnRegister', {
    description: 'Runs in the transaction of a registration, after the user was written: what it writes with `em` ' +
      'is stored together with the user, or not at all. If it throws an error with a `statusCode` of 4xx, that is ' +
      'the response; any other error is a 500 without details. The body contains no password. It may run again if ' +
      'the transaction does.',
  }),
  onRegistered: Callable<OnRegistered>('OnRegistered', {
    description: 'A user was created: by registration, by code or from the command line (`users.create`). Without ' +
      'a registration the source is null.',
  }),
  onSession: Callable<OnSession>('OnSession', {
    description: 'Returns the data of a new session (`sessions.data`), or nothing, before anything is stored, even ' +
      'the user of a registration. The response waits for it. If it throws an error with a `statusCode` of 4xx, ' +
      'that is the response; any other error is a 500 without details. Data that does not match the schema is ' +
      '`ACCOUNTS_INPUT_INVALID`. Code that starts a session (`issueTokens`) may have no request.',
  }),
  onLogin: Callable<OnUser>('OnUser', { description: 'A session started with a password.' }),
  onLoginFailed: Callable<OnLoginFailed>('OnLoginFailed', {
    description: 'A login failed. It receives what was typed as a user name or address, never the password.',
  }),
  onRefresh: Callable<OnUser>('OnUser', { description: 'A session was refreshed.' }),
  onLogout: Callable<OnUser>('OnUser', { description: 'Somebody logged out.' }),
  onReuse: Callable<OnReuse>('OnReuse', {
    description: 'A used refresh token of this session was used again, so somebody may have stolen it. The session ' +
      'has ended.',
  }),
  onPasswordChanged: Callable<OnUser>('OnUser', { description: 'A user changed their password.' }),
}

/** The hooks as the settings have them. */
type GivenHooks = Partial<Static<TObject<typeof hooks>>>

type Read = ReturnType<typeof read>

/** What the settings say of sessions. */
export type SessionSettings =
  Read & Pick<TokenSettings, 'access' | 'leewaySeconds' | 'lendsSessions'> & Pick<HttpSettings, 'name'>

/** Tells hooks that have no say in what happens. */
export type Hooks = Telling<Omit<Required<GivenHooks>, 'onRegister' | 'onSession'>>

type Given = Loose<typeof options & Pick<typeof tokenOptions, 'access'>>

/** Comparisons with what is no duration are false, so nothing is said twice. */
export function faults ({ access, refresh, revocation }: Given): string[] {
  const lives = [access?.expiresIn, refresh?.expiresIn, refresh?.maxAge]
  const [short, idle, absolute] = lives.map(inSeconds) as [number, number, number]
  const isRare = inSeconds(revocation?.pollInterval) >= inSeconds(revocation?.maxStaleness)
  const [ofAccess, ofRefresh] = [named(tokenOptions, 'access.expiresIn'), named(options, 'refresh.expiresIn')]
  return [
    ...short > idle ? [`${ofAccess} must not be longer than ${ofRefresh}`] : [],
    ...idle > absolute ? [`${ofRefresh} must not be longer than refresh.maxAge`] : [],
    ...isRare ? ['revocation.pollInterval must be shorter than revocation.maxStaleness'] : [],
  ]
}

export function problems (
  { sessions: { data }, hooks: { onSession } }: Filled<typeof options> & { hooks: GivenHooks }
): string[] {
  if (!data) return onSession ? ['hooks.onSession needs sessions.data, the schema of what it gives'] : []
  const schema = data as TSchema
  const problem = schemaProblem('sessions.data', schema)
  if (problem) return [problem]
  return schema.type === 'object' ? [] : ['sessions.data must be the schema of an object']
}

export function read (given: Filled<typeof options>) {
  const { sessions: { data, ...limit }, ...rest } = settled(options, given)
  // A schema of `typebox` 1 has been copied into one of 0.34.
  return { ...rest, sessions: { ...limit, ...data && { data: data as TSchema } } }
}
