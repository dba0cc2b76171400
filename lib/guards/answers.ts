import type { TSchema } from '@sinclair/typebox'
import { errorCodes } from 'fastify'
import { ConstraintViolated } from '../database/errors.ts'
import { answers, type ErrorClass } from '../http/answers.ts'
import { InputInvalid, Unavailable } from '../http/errors.ts'
import { RefreshReused, TokenRevoked, TokenSuperseded } from '../sessions/errors.ts'
import { TokenExpired, TokenInvalid, TokenWrongType } from '../tokens/errors.ts'
import { CsrfFailed, HeaderMalformed, TokenMissing } from '../transport/errors.ts'
import type { Location } from '../transport/options.ts'
import { ClaimsRefused } from './errors.ts'

/** What every route with a body may answer beside its own errors. */
export const bodyErrors: ErrorClass[] = [
  InputInvalid, ConstraintViolated, Unavailable,
  errorCodes.FST_ERR_CTP_BODY_TOO_LARGE, errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE,
]

/**
 * What the access guard may answer; where it looks for cookies, and the route changes something, a request from elsewhere
 * too.
 */
export function accessErrors (locations: Location[] = []): ErrorClass[] {
  return [
    TokenMissing, HeaderMalformed, TokenInvalid, TokenExpired, TokenWrongType,
    TokenRevoked, TokenSuperseded, ClaimsRefused, Unavailable,
    ...locations.includes('cookie') ? [CsrfFailed] : [],
  ]
}

/** What the refresh guard may answer. */
export function refreshErrors (locations: Location[]): ErrorClass[] {
  return [...accessErrors(locations), ...bodyErrors, RefreshReused]
}

/** The `response` of a route that takes cookies back with what it refuses for good: see `clearRefused`. */
export function clearingAnswers (
  locations: Location[], given: Record<number, TSchema>, ...refusals: ErrorClass[]
): Record<number, TSchema> {
  const all = answers(given, ...refusals)
  if (!locations.includes('cookie')) return all
  const description = 'Takes the cookies back, if the token was in one.'
  return { ...all, 401: { ...all[401]!, headers: { 'set-cookie': { type: 'string', description } } } }
}
