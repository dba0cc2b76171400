import createError from '@fastify/error'
import { challenged } from '../http/refusal.ts'

export const ClaimsRefused = challenged('ACCOUNTS_CLAIMS_REFUSED',
  'The app does not accept the claims of the token', 401, 'invalid_token')
export const TokenStale = challenged('ACCOUNTS_TOKEN_STALE',
  'The password was checked too long ago', 401, 'insufficient_user_authentication')
export const TokenWeak = challenged('ACCOUNTS_TOKEN_WEAK',
  'A higher level of authentication is required', 401, 'insufficient_user_authentication')
export const Forbidden = challenged('ACCOUNTS_FORBIDDEN', 'The user may not do this', 403, 'insufficient_scope')
export const KeyRefused = createError('ACCOUNTS_KEY_REFUSED', 'No API key opens this', 403)
export const Impersonated = createError('ACCOUNTS_IMPERSONATED',
  'Nobody but the user may do this: the session is borrowed', 403)
export const EmailUnverified = createError('ACCOUNTS_EMAIL_UNVERIFIED',
  'The e-mail address of the user is not verified', 403)
