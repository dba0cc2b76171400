import createError from '@fastify/error'
import { challenged } from '../http/refusal.ts'

export const TokenRevoked = challenged('ACCOUNTS_TOKEN_REVOKED',
  'The token has been revoked, or its session has ended', 401, 'invalid_token')
export const TokenSuperseded = challenged('ACCOUNTS_TOKEN_SUPERSEDED',
  'The session continues with newer tokens', 401, 'invalid_token')
export const RefreshReused = challenged('ACCOUNTS_REFRESH_REUSED',
  'The refresh token was used before, so its session has been ended', 401, 'invalid_token')
export const SessionsFull = createError('ACCOUNTS_SESSIONS_FULL',
  'The user has too many sessions: log out of one of them, and try again', 403)
