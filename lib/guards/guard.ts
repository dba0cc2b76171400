import type { FastifyRequest, RouteGenericInterface } from 'fastify'
import { Forbidden, TokenExpired, TokenMissing, TokenStale } from '../errors.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { AccessClaims } from '../tokens/access-token.ts'
import type { RefreshClaims } from '../tokens/refresh-token.ts'
import { numericDate } from '../tokens/claims.ts'
import type { TokenHeader, Tokens, VerifiedToken } from '../tokens/tokens.ts'
import { publicUser, type AccountsUser } from '../users/public-user.ts'
import { kindsIn, locateAccess, locateRefresh, type TokenLocation } from './locate.ts'
import { readGuardOptions, usuallyFreshForSeconds, type GuardOptions, type GuardSettings } from './options.ts'

/** A hook that fits every Fastify app, whatever its server, logger and types. */
export type Guard = (request: FastifyRequest<RouteGenericInterface, any, any, any, any, any, any>) => Promise<void>

/** What the token said that let a request in. */
export interface RequestAuth {
  claims: AccessClaims | RefreshClaims
  /** The token's JOSE header. */
  header: TokenHeader
  sessionId: string
  location: TokenLocation
  /** The password was checked no longer than 10 minutes ago. */
  fresh: boolean
  /** The name of the accounts that let the request in. */
  instance: string
}

/** Marks a hook as a guard, with its settings. */
const mark = Symbol('accounts.guard')

/** The settings of a hook that is a guard of ours. */
export function guardOf (hook: unknown): GuardSettings | undefined {
  return (hook as { [mark]?: GuardSettings } | undefined)?.[mark]
}

type AnyRequest = Parameters<Guard>[0]
type LocatedToken = VerifiedToken & { location: TokenLocation }

const names = { access: 'authenticate', refresh: 'authenticateRefresh', any: 'authenticateAny' }

/** Makes the hooks that fill `request.user` and `request.auth`, or throw. */
export function createGuards (tokens: Tokens, sessions: Sessions) {
  /**
   * A hook that lets in whom the options describe.
   * @throws {OptionsInvalid} `ACCOUNTS_OPTIONS_INVALID`, where the route is written
   */
  function guard (options: GuardOptions = {}): Guard {
    const settings = readGuardOptions(options)
    const name = names[settings.kind]
    const { [name]: hook } = { async [name] (request: AnyRequest) { await admit(request, settings) } }
    return Object.assign(hook!, { [mark]: settings })
  }

  /** First the token by itself, then its session as it is now, then the user: the first that fails is the answer. */
  async function admit (request: AnyRequest, settings: GuardSettings): Promise<void> {
    const token = find(request, settings)
    if (!token) return

    const { kind, claims, header, location } = token
    if (kind === 'access') requireFresh(claims.auth_time, settings)
    const session = kind === 'access' ? await sessions.use(claims) : await sessions.inspect(claims)
    const authTime = kind === 'access' ? claims.auth_time : numericDate(session.authTime)
    if (kind === 'refresh') requireFresh(authTime, settings)

    const user = publicUser(session.user)
    await requireAllowed(user, request, settings)
    // Only now: a request that is refused here and let in by another strategy must not bear this user.
    request.user = user
    request.auth = { claims, header, sessionId: session.id, location, fresh: isFresh(authTime, usuallyFreshForSeconds), instance: 'accounts' }
  }

  function find (request: AnyRequest, { kind, optional }: GuardSettings): LocatedToken | undefined {
    try {
      const { token, location } = kind === 'access' ? locateAccess(request) : locateRefresh(request)
      return { ...tokens.verify(token, kind === 'any' ? kindsIn(location) : [kind]), location }
    } catch (error) {
      const isAnonymous = (optional && error instanceof TokenMissing) || (optional === 'or-expired' && error instanceof TokenExpired)
      if (!isAnonymous) throw error
    }
  }

  return { guard, authenticate: guard(), authenticateRefresh: guard({ type: 'refresh' }) }
}

function isFresh (authTime: number, forSeconds: number): boolean {
  return Date.now() / 1000 - authTime <= forSeconds
}

/** RFC 9470: the challenge says how recent the password must be. */
function requireFresh (authTime: number, { freshForSeconds }: GuardSettings): void {
  if (freshForSeconds === undefined || isFresh(authTime, freshForSeconds)) return

  const error = new TokenStale()
  const { 'www-authenticate': challenge } = error.headers
  throw Object.assign(error, { headers: { 'www-authenticate': `${challenge}, max_age="${freshForSeconds}"` } })
}

async function requireAllowed (user: AccountsUser, request: AnyRequest, { roles, check }: GuardSettings): Promise<void> {
  if (!roles.every((role) => user.roles.includes(role))) throw new Forbidden()
  if (check && !await isAllowed(check, user, request)) throw new Forbidden()
}

/** A check that throws lets nobody in, and what it says stays in the log. */
async function isAllowed (check: NonNullable<GuardOptions['check']>, user: AccountsUser, request: AnyRequest): Promise<boolean> {
  try {
    return await check(user, request) === true
  } catch (cause) {
    throw Object.assign(new Error('Internal Server Error', { cause }), { statusCode: 500 })
  }
}
