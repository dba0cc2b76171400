import createError from '@fastify/error'
import { challenged } from '../http/refusal.ts'

export const TokenInvalid = challenged('ACCOUNTS_TOKEN_INVALID', 'The token is not valid', 401, 'invalid_token')
export const TokenExpired = challenged('ACCOUNTS_TOKEN_EXPIRED', 'The token has expired', 401, 'invalid_token')
export const TokenWrongType = challenged('ACCOUNTS_TOKEN_WRONG_TYPE',
  'An access token is needed where a refresh token was sent, or the reverse', 401, 'invalid_token')
export const IssuingOff = createError('ACCOUNTS_ISSUING_OFF',
  'There is no key that signs, so no tokens can be issued', 501)
export const TokenTooLarge = createError('ACCOUNTS_TOKEN_TOO_LARGE',
  'The token is too long for a cookie or for a header: the claims must be fewer', 500)
