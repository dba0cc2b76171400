import { Type, type TSchema } from '@sinclair/typebox'
import type { FastifyError } from '@fastify/error'
import { errorCodes } from 'fastify'
import * as errors from '../errors.ts'
import { UserSchema } from '../users/public-user.ts'

export const TokenResponseSchema = Type.Object({
  access_token: Type.String({ description: 'Goes into the header Authorization: Bearer.' }),
  token_type: Type.Literal('Bearer'),
  expires_in: Type.Integer({ description: 'Seconds until the access token is over.' }),
  refresh_token: Type.String({ description: 'Buys the next pair of tokens at the refresh route. Keep it secret.' }),
  refresh_expires_in: Type.Integer({ description: 'Seconds until the refresh token is over.' }),
  user: UserSchema,
}, { description: 'A pair of tokens and their user' })

export const NothingSchema = Type.Null({ description: 'Done' })

export const RefreshTokenBodySchema = Type.Object({
  refresh_token: Type.Optional(Type.String({ description: 'The refresh token. Without it, Authorization: Bearer is looked at.' })),
}, { additionalProperties: false })

export const UsernameSchema = Type.String({ maxLength: 256, description: '1 to 64 characters, no @.' })
export const EmailSchema = Type.String({ maxLength: 254, description: 'An e-mail address.' })

export const tags = ['accounts']

type ErrorClass = new (...args: never[]) => FastifyError

/** What every route with a body may answer beside its own errors. */
export const bodyErrors = [
  errors.InputInvalid, errors.Unavailable, errorCodes.FST_ERR_CTP_BODY_TOO_LARGE, errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE,
]

/** What the access guard may answer. */
export const accessErrors = [
  errors.TokenMissing, errors.HeaderMalformed, errors.TokenInvalid, errors.TokenExpired, errors.TokenWrongType,
  errors.TokenRevoked, errors.Unavailable,
]

/** What the refresh guard may answer. */
export const refreshErrors = [...accessErrors, ...bodyErrors, errors.RefreshReused]

/** The `response` of a route: what it gives, and each status that it may refuse with, naming the codes. */
export function answers (given: Record<number, TSchema>, ...refusals: ErrorClass[]): Record<number, TSchema> {
  const thrown = refusals.map((Refusal) => new Refusal())
  const statuses = [...new Set(thrown.map(({ statusCode }) => statusCode!))]

  return {
    ...given,
    ...Object.fromEntries(statuses.map((status) => {
      const codes = thrown.filter(({ statusCode }) => statusCode === status).map(({ code }) => code)
      return [status, errorSchema([...new Set(codes)].join(', '))]
    })),
  }
}

function errorSchema (description: string) {
  return Type.Object({
    statusCode: Type.Integer(),
    code: Type.String({ description: 'Stable: programs compare this.' }),
    error: Type.String({ description: 'The name of the status.' }),
    message: Type.String({ description: 'For people.' }),
  }, { description })
}
