import createError from '@fastify/error'
import { challenged } from '../http/refusal.ts'

export const TokenRevoked = challenged('ACCOUNTS_TOKEN_REVOKED',
  'The token, or its session, is over', 401, 'invalid_token')
export const TokenSuperseded = challenged('ACCOUNTS_TOKEN_SUPERSEDED',
  'The session goes on with newer tokens', 401, 'invalid_token')
export const RefreshReused = challenged('ACCOUNTS_REFRESH_REUSED',
  'The refresh token was used before, so its session has been ended', 401, 'invalid_token')
export const SessionsFull = createError('ACCOUNTS_SESSIONS_FULL',
  'The user is signed in in too many places: sign out in one of them, and try again', 403)
