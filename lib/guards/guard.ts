import type { FastifyRequest, RouteGenericInterface } from 'fastify'
import { ask } from '../host/ask.ts'
import { EmailUnverified, Forbidden, Impersonated, KeyRefused, TokenStale, TokenWeak } from './errors.ts'
import { TokenExpired, TokenInvalid } from '../tokens/errors.ts'
import { TokenMissing } from '../transport/errors.ts'
import type { AnyReply, AnyRequest } from '../http/request.ts'
import type { Tokens } from '../tokens/tokens.ts'
import type { AccountsUser } from '../users/public-user.ts'
import type { ChallengedError } from '../http/refusal.ts'
import type { Wording } from '../http/wording.ts'
import { satisfies, type Level } from '../tokens/levels.ts'
import { authTimeOf, type Admission } from './admission.ts'
import { changesSomething, type Csrf } from '../transport/csrf.ts'
import type { Locator } from '../transport/locate.ts'
import {
  isOpenToBorrowed, readGuardOptions, usuallyFreshForSeconds, type AuthenticationSettings, type GuardSettings,
} from './options.ts'
import type { GuardOptions } from './guard-options.ts'
import type { KeyAccess } from './key-access.ts'
import type { AuthOfKeys } from './key-auth.ts'
import type { AuthOfRequests, RequestAuth, RequestToken } from './request-auth.ts'

/**
 * A hook for every Fastify app, whatever its server, logger and types. If you call it yourself, `request.auth.signal`
 * needs the reply.
 */
export type Guard = (
  request: FastifyRequest<RouteGenericInterface, any, any, any, any, any, any>, reply?: AnyReply
) => Promise<void>

/** What guards of our own routes ask for beside. */
export interface OwnGuardOptions extends GuardOptions {
  /**
   * That all was proved within 10 minutes that the account asks for: a second factor too, where one is on. Of those
   * alone who have one, or of everybody.
   */
  strong?: 'with-factor' | 'always' | undefined
  /** Whether a user is let in who needs a second factor and has not proved one: to set one up, and to sign in again. */
  isWayOut?: boolean | undefined
}

interface Rules extends Pick<OwnGuardOptions, 'strong' | 'isWayOut'> {
  needsProof: Csrf['isNeededFor']
}

/** Marks a hook as a guard, with its settings. */
const mark = Symbol('accounts.guard')

/** The settings of a hook that is a guard of ours. */
export function guardOf (hook: unknown): GuardSettings | undefined {
  return (hook as { [mark]?: GuardSettings })[mark]
}

/** Functions that make guards. One of them as a hook was meant to be called. */
const factories = new WeakSet<object>()

export function isGuardFactory (hook: unknown): boolean {
  return factories.has(hook as object)
}

export interface GuardParts {
  settings: AuthenticationSettings
  tokens: Tokens
  locator: Locator
  csrf: Csrf
  admission: Admission
  keyAccess: KeyAccess
  /** Makes `request.auth`. */
  Auth: AuthOfRequests
  /** Makes `request.auth` for API keys. */
  KeyAuth: AuthOfKeys
  wording: Wording
}

/** The names of guards as functions, which errors about routes and stack traces show. */
const names = { access: 'authenticate', refresh: 'authenticateRefresh', any: 'authenticateAny' }

/** Makes the hooks that fill `request.user` and `request.auth`, or throw. */
export function createGuardMakers (
  { settings, tokens, locator, csrf, admission, keyAccess, Auth, KeyAuth, wording }: GuardParts
) {
  const { decoratorName, lendsSessions } = settings

  /**
   * A hook that lets in whom the options describe.
   * @throws {OptionsInvalid} `ACCOUNTS_OPTIONS_INVALID`, where the route is written
   */
  function guard (options: GuardOptions = {}): Guard {
    return make(options, { needsProof: csrf.isNeededFor })
  }

  /** A guard for routes of ours, which no list of methods opens to other sites. */
  function ownGuard ({ strong, isWayOut, ...options }: OwnGuardOptions): Guard {
    return make(options, { needsProof: changesSomething, strong, isWayOut })
  }

  function make (options: GuardOptions, rules: Rules): Guard {
    const guardSettings = readGuardOptions(options, settings)

    async function hook (request: AnyRequest, reply?: AnyReply): Promise<void> {
      try {
        await admit(request, reply, guardSettings, rules)
      } catch (error) {
        throw wording(error, request)
      }
    }
    Object.defineProperty(hook, 'name', { value: names[guardSettings.kind] })
    return Object.assign(hook, { [mark]: guardSettings })
  }

  /** Checks the token by itself, then its session as it is now, then the user: the first that fails is the answer. */
  async function admit (
    request: AnyRequest, reply: AnyReply | undefined, settings: GuardSettings, { needsProof, strong, isWayOut }: Rules
  ): Promise<void> {
    const key = settings.keys ? keyAccess.door!.locate(request) : undefined
    if (key !== undefined) return admitKey(key, request, reply, settings)
    const token = find(request, settings)
    if (!token) return

    const { kind, claims, location } = token
    if (location === 'cookie' && (needsProof(request.method) || csrf.isHandshake(request))) {
      csrf.requireProof(request, claims)
    }
    const actor = lendsSessions && kind === 'access' ? claims.act?.sub : undefined
    if (actor !== undefined && !isOpenToBorrowed(settings)) throw new Impersonated()
    if (kind === 'access') requireProof(authTimeOf(claims), claims.acr, settings)
    const { user, authTime, proved, needs } = await admission.admit(token, settings.consistency, request)
    if (kind === 'refresh') requireProof(authTime, proved?.acr, settings)
    if (needs?.needsFactor && proved?.acr === 'aal1' && !isWayOut && actor === undefined) throw weak('aal2')
    if (strong && (strong === 'always' || needs!.hasFactor)) {
      requireProof(authTime, proved?.acr, {
        freshForSeconds: usuallyFreshForSeconds, acr: needs!.hasFactor ? 'aal2' : undefined,
      })
    }

    requireRights(user, settings)
    if (settings.check) await requireAgreement(settings.check, user, request)
    // Only now: a request that is refused here and then let in by another strategy must not have this user.
    request[decoratorName as 'user'] = user
    request.auth = new Auth(token, isFresh(authTime, usuallyFreshForSeconds), proved, actor, settings, reply)
  }

  async function admitKey (
    text: string, request: AnyRequest, reply: AnyReply | undefined, settings: GuardSettings
  ): Promise<void> {
    const { key, user } = await keyAccess.door!.admit(text, settings.consistency, request)
    if (!settings.scopes.every((scope) => key.scopes.includes(scope))) throw lacking(settings.scopes)
    requireRights(user, settings)
    if (settings.check) await requireAgreement(settings.check, user, request)
    request[decoratorName as 'user'] = user
    request.auth = new KeyAuth(key, text, reply) as unknown as RequestAuth
  }

  function find (request: AnyRequest, { kind, optional, locations }: GuardSettings): RequestToken | undefined {
    try {
      const { token, location, kinds } = locator.locate(request, kind, locations)
      return { ...tokens.verify(token, kinds), location }
    } catch (error) {
      const isAnonymous = (optional && error instanceof TokenMissing) ||
        (optional === 'or-expired' && error instanceof TokenExpired)
      if (isAnonymous) return
      const isNone = error instanceof TokenMissing || error instanceof TokenInvalid
      throw isNone && keyAccess.door?.locate(request) !== undefined ? new KeyRefused() : error
    }
  }

  factories.add(guard)
  return { guard, ownGuard }
}

function isFresh (authTime: number, forSeconds: number): boolean {
  return Date.now() / 1000 - authTime <= forSeconds
}

/** RFC 9470: the challenge says how well it must be proved who it is, and how recently. */
function requireProof (
  authTime: number, acr: Level = 'aal1', wanted: Pick<GuardSettings, 'freshForSeconds' | 'acr'>
): void {
  const { freshForSeconds, acr: wantedAcr } = wanted
  if (wantedAcr !== undefined && !satisfies(acr, wantedAcr)) throw weak(wantedAcr, freshForSeconds)
  if (freshForSeconds === undefined || isFresh(authTime, freshForSeconds)) return

  throw stale(freshForSeconds)
}

/**
 * Refuses a request whose proof is older than 10 minutes, in a handler: where it depends on the body whether it must be
 * younger.
 * @throws {TokenStale}
 */
export function requireFresh ({ auth }: { auth: Pick<RequestAuth, 'fresh'> }): void {
  if (!auth.fresh) throw stale(usuallyFreshForSeconds)
}

function stale (freshForSeconds: number): ChallengedError {
  return withParameters(new TokenStale(), `max_age="${freshForSeconds}"`)
}

function weak (acr: Level, freshForSeconds?: number): ChallengedError {
  const error = withParameters(new TokenWeak(), `acr_values="${acr}"`)
  return freshForSeconds === undefined ? error : withParameters(error, `max_age="${freshForSeconds}"`)
}

/** RFC 6750 §3: the challenge says which scopes it takes. */
function lacking (scopes: string[]): ChallengedError {
  return withParameters(new Forbidden(), `scope="${scopes.join(' ')}"`)
}

function requireRights (
  user: AccountsUser, { roles, permission, verified }: Pick<GuardSettings, 'roles' | 'permission' | 'verified'>
): void {
  if (!roles.every((role) => user.roles.includes(role))) throw new Forbidden()
  if (permission && !user.roles.some((role) => permission.roles.has(role))) throw new Forbidden()
  if (verified && !user.email_verified) throw new EmailUnverified()
}

function withParameters (error: ChallengedError, more: string): ChallengedError {
  return Object.assign(error, { parameters: `${error.parameters}, ${more}` })
}

async function requireAgreement (
  check: NonNullable<GuardSettings['check']>, user: AccountsUser, request: AnyRequest
): Promise<void> {
  if (await ask(() => check(user, request)) !== true) throw new Forbidden()
}
