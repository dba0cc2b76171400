import type { TSchema } from '@sinclair/typebox'
import { errorCodes } from 'fastify'
import { ConstraintViolated } from '../database/errors.ts'
import { answers, type ErrorClass } from '../http/answers.ts'
import { InputInvalid, Unavailable } from '../http/errors.ts'
import { RefreshReused, TokenRevoked, TokenSuperseded } from '../sessions/errors.ts'
import { TokenExpired, TokenInvalid, TokenWrongType } from '../tokens/errors.ts'
import { CsrfFailed, HeaderMalformed, TokenMissing } from '../transport/errors.ts'
import type { Location } from '../transport/options.ts'
import { ClaimsRefused, Impersonated, TokenStale, TokenWeak } from './errors.ts'

/** The errors of every route with a body. */
export const bodyErrors: ErrorClass[] = [
  InputInvalid, ConstraintViolated, Unavailable,
  errorCodes.FST_ERR_CTP_BODY_TOO_LARGE, errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE,
]

/**
 * The errors of a guard for access tokens. `locations`, of a route that changes something, add the one against CSRF.
 */
export function accessErrors (locations: Location[] = []): ErrorClass[] {
  return [
    TokenMissing, HeaderMalformed, TokenInvalid, TokenExpired, TokenWrongType,
    TokenRevoked, TokenSuperseded, ClaimsRefused, Unavailable,
    ...locations.includes('cookie') ? [CsrfFailed] : [],
  ]
}

/** The errors of a route that asks for a second factor of who has one, where there are some. */
export function strongErrors ({ hasFactors }: { hasFactors: boolean }): ErrorClass[] {
  return hasFactors ? [TokenStale, TokenWeak] : []
}

/** The errors of a guard that a route of ours calls by itself, where there are borrowed sessions. */
export function borrowedErrors ({ lendsSessions }: { lendsSessions: boolean }): ErrorClass[] {
  return lendsSessions ? [Impersonated] : []
}

/** The errors of a guard for refresh tokens. */
export function refreshErrors (locations: Location[]): ErrorClass[] {
  return [...accessErrors(locations), ...bodyErrors, RefreshReused]
}

/** The `response` of a route that clears cookies whose token it refuses for good (`Keeping.clearRefused`). */
export function clearingAnswers (
  locations: Location[], given: Record<number, TSchema>, ...refusals: ErrorClass[]
): Record<number, TSchema> {
  const all = answers(given, ...refusals)
  if (!locations.includes('cookie')) return all
  const description = 'Clears the cookies, if the token was in one.'
  return { ...all, 401: { ...all[401]!, headers: { 'set-cookie': { type: 'string', description } } } }
}
