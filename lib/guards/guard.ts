import type { FastifyRequest, RouteGenericInterface } from 'fastify'
import type { Session } from '../entities/session.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { TokenKind } from '../tokens/keyring.ts'
import type { AccessClaims } from '../tokens/access-token.ts'
import type { RefreshClaims } from '../tokens/refresh-token.ts'
import type { TokenHeader, Tokens, VerifiedToken } from '../tokens/tokens.ts'
import { publicUser } from '../users/public-user.ts'
import { locateAccess, locateRefresh, type TokenLocation } from './locate.ts'

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

const freshForMs = 600_000

/** Marks a hook as a guard, with the kind of token that it asks for. */
const kind = Symbol('accounts.guard')

/** The kind of token that a hook asks for, or nothing when it is no guard of ours. */
export function guardKind (hook: unknown): TokenKind | undefined {
  return (hook as { [kind]?: TokenKind } | undefined)?.[kind]
}

/** The hooks `authenticate` and `authenticateRefresh`: they fill `request.user` and `request.auth`, or throw. */
export function createGuards (tokens: Tokens, sessions: Sessions) {
  const authenticate: Guard = async (request) => {
    const { token, location } = locateAccess(request)
    const verified = tokens.verifyAccess(token)
    admit(request, await sessions.use(verified.claims), verified, location)
  }

  const authenticateRefresh: Guard = async (request) => {
    const { token, location } = locateRefresh(request)
    const verified = tokens.verifyRefresh(token)
    admit(request, await sessions.inspect(verified.claims), verified, location)
  }

  return {
    authenticate: Object.assign(authenticate, { [kind]: 'access' as const }),
    authenticateRefresh: Object.assign(authenticateRefresh, { [kind]: 'refresh' as const }),
  }
}

function admit (request: Parameters<Guard>[0], session: Session, { claims, header }: VerifiedToken, location: TokenLocation): void {
  const fresh = Date.now() - session.authTime.getTime() <= freshForMs
  request.user = publicUser(session.user)
  request.auth = { claims, header, sessionId: session.id, location, fresh, instance: 'accounts' }
}
