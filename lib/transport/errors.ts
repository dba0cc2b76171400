import createError from '@fastify/error'
import { challenged } from '../http/refusal.ts'

export const TokenMissing = challenged('ACCOUNTS_TOKEN_MISSING', 'There is no token where this route looks for one')
export const HeaderMalformed = challenged('ACCOUNTS_HEADER_MALFORMED',
  'The header of the token must be its scheme, one or more spaces and one token; ' +
  'a token among subprotocols must be one, and not the first', 400, 'invalid_request')
export const CsrfFailed = createError<'ACCOUNTS_CSRF_FAILED', [reason: string]>('ACCOUNTS_CSRF_FAILED', '%s', 403)
