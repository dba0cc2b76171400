import type { FastifyRequest } from 'fastify'
import type { Session } from './entities/session.ts'
import type { Guard } from './guards/guard.ts'
import type { Settings } from './settings.ts'
import type { Client, Sessions } from './sessions/sessions.ts'
import type { TokenPair, Tokens } from './tokens/tokens.ts'
import { publicUser, type AccountsUser } from './users/public-user.ts'
import type { Users } from './users/users.ts'

/** What a route may use. */
export interface Context {
  settings: Settings
  tokens: Tokens
  sessions: Sessions
  users: Users
  authenticate: Guard
}

/** The answer that brings a session's tokens and its user. */
export interface TokenResponse extends TokenPair {
  user: AccountsUser
}

export function tokenResponse ({ tokens }: Context, session: Session): TokenResponse {
  return { ...tokens.issue(session), user: publicUser(session.user) }
}

/** Where a request comes from: the address that Fastify trusts, never a header's word for it, and none on a Unix socket. */
export function clientOf ({ ip, headers }: Pick<FastifyRequest, 'headers'> & { ip?: string }): Client {
  return { ip, userAgent: headers['user-agent'] }
}
