import type { FastifyRequest, RouteGenericInterface } from 'fastify'
import { ask } from '../host/ask.ts'
import { EmailUnverified, Forbidden, TokenStale } from './errors.ts'
import { TokenExpired } from '../tokens/errors.ts'
import { TokenMissing } from '../transport/errors.ts'
import type { AnyReply, AnyRequest } from '../http/request.ts'
import type { Tokens } from '../tokens/tokens.ts'
import type { AccountsUser } from '../users/public-user.ts'
import type { Wording } from '../http/wording.ts'
import type { Admission } from './admission.ts'
import { changesSomething, type Csrf } from '../transport/csrf.ts'
import type { Locator } from '../transport/locate.ts'
import { readGuardOptions, usuallyFreshForSeconds, type AuthenticationSettings, type GuardSettings } from './options.ts'
import type { GuardOptions } from './guard-options.ts'
import type { AuthOfRequests, RequestToken } from './request-auth.ts'

/** A hook that fits every Fastify app, whatever its server, logger and types. `request.auth.signal` needs the reply. */
export type Guard = (
  request: FastifyRequest<RouteGenericInterface, any, any, any, any, any, any>, reply?: AnyReply
) => Promise<void>

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
  /** Makes `request.auth`. */
  Auth: AuthOfRequests
  wording: Wording
}

/** The names of guards as functions, which errors about routes and stack traces show. */
const names = { access: 'authenticate', refresh: 'authenticateRefresh', any: 'authenticateAny' }

/** Makes the hooks that fill `request.user` and `request.auth`, or throw. */
export function createGuardMakers ({ settings, tokens, locator, csrf, admission, Auth, wording }: GuardParts) {
  const { name: instance, decoratorName, locations } = settings

  /**
   * A hook that lets in whom the options describe.
   * @throws {OptionsInvalid} `ACCOUNTS_OPTIONS_INVALID`, where the route is written
   */
  function guard (options: GuardOptions = {}): Guard {
    return make(options, csrf.isNeededFor)
  }

  /** A guard for routes of ours, which no list of methods opens to other sites. */
  function ownGuard (options: GuardOptions): Guard {
    return make(options, changesSomething)
  }

  function make (options: GuardOptions, needsProof: Csrf['isNeededFor']): Guard {
    const settings = readGuardOptions(options, instance, locations)

    async function hook (request: AnyRequest, reply?: AnyReply): Promise<void> {
      try {
        await admit(request, reply, settings, needsProof)
      } catch (error) {
        throw wording(error, request)
      }
    }
    Object.defineProperty(hook, 'name', { value: names[settings.kind] })
    return Object.assign(hook, { [mark]: settings })
  }

  /** Checks the token by itself, then its session as it is now, then the user: the first that fails is the answer. */
  async function admit (
    request: AnyRequest, reply: AnyReply | undefined, settings: GuardSettings, needsProof: Csrf['isNeededFor']
  ): Promise<void> {
    const token = find(request, settings)
    if (!token) return

    const { kind, claims, location } = token
    if (location === 'cookie' && (needsProof(request.method) || csrf.isHandshake(request))) {
      csrf.requireProof(request, claims)
    }
    if (kind === 'access') requireFresh(claims.auth_time, settings)
    const { user, authTime } = await admission.admit(token, settings.consistency, request)
    if (kind === 'refresh') requireFresh(authTime, settings)

    if (!settings.roles.every((role) => user.roles.includes(role))) throw new Forbidden()
    if (settings.verified && !user.email_verified) throw new EmailUnverified()
    if (settings.check) await requireAgreement(settings.check, user, request)
    // Only now: a request that is refused here and then let in by another strategy must not have this user.
    request[decoratorName as 'user'] = user
    request.auth = new Auth(token, isFresh(authTime, usuallyFreshForSeconds), settings, reply)
  }

  function find (request: AnyRequest, { kind, optional, locations }: GuardSettings): RequestToken | undefined {
    try {
      const { token, location, kinds } = locator.locate(request, kind, locations)
      return { ...tokens.verify(token, kinds), location }
    } catch (error) {
      const isAnonymous = (optional && error instanceof TokenMissing) ||
        (optional === 'or-expired' && error instanceof TokenExpired)
      if (!isAnonymous) throw error
    }
  }

  factories.add(guard)
  return { guard, ownGuard }
}

function isFresh (authTime: number, forSeconds: number): boolean {
  return Date.now() / 1000 - authTime <= forSeconds
}

/** RFC 9470: the challenge says how recent the password must be. */
function requireFresh (authTime: number, { freshForSeconds }: GuardSettings): void {
  if (freshForSeconds === undefined || isFresh(authTime, freshForSeconds)) return

  const error = new TokenStale()
  throw Object.assign(error, { parameters: `${error.parameters}, max_age="${freshForSeconds}"` })
}

async function requireAgreement (
  check: NonNullable<GuardSettings['check']>, user: AccountsUser, request: AnyRequest
): Promise<void> {
  if (await ask(() => check(user, request)) !== true) throw new Forbidden()
}
