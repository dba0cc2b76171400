import { Type, type TSchema } from '@sinclair/typebox'
import type { FastifyError } from '@fastify/error'
import { errorCodes } from 'fastify'
import type { Issuing } from '../grants.ts'
import * as errors from '../errors.ts'
import type { Location, Transport } from '../options.ts'
import type { Settings } from '../settings.ts'

/** A pair of tokens, or what is left of it in a body when they travel in cookies. */
export function tokenResponseSchema ({ settings: { transport }, publicUsers }: Issuing) {
  const inBody = (schema: TSchema) => transport === 'body' ? schema : Type.Optional(schema)
  const inCookies = (schema: TSchema) => transport === 'cookie' ? schema : Type.Optional(schema)

  return Type.Object({
    ...transport !== 'cookie' && {
      access_token: inBody(Type.String({ description: 'Goes into the header Authorization: Bearer.' })),
    },
    token_type: Type.Literal('Bearer'),
    expires_in: Type.Integer({ description: 'Seconds until the access token is over.' }),
    ...transport !== 'cookie' && {
      refresh_token: inBody(Type.String({ description: 'Buys the next pair of tokens at the refresh route. Keep it secret.' })),
    },
    refresh_expires_in: Type.Integer({ description: 'Seconds until the refresh token is over.' }),
    ...transport !== 'body' && {
      csrf_token: inCookies(Type.String({ description: 'Goes into a header of requests with cookies that change something.' })),
    },
    user: publicUsers.schema,
  }, { description: 'A pair of tokens and their user' })
}

/** How a client says where its tokens are to go, where it may say so. */
export function transportFields (transport: Settings['transport']) {
  return transport === 'both' && {
    transport: Type.Optional(Type.Unsafe<Transport>({ type: 'string', enum: ['body', 'cookie'], description: 'How the tokens of this session travel, now and later. Default body.' })),
  }
}

export const NothingSchema = Type.Null({ description: 'Done' })

export const RefreshTokenBodySchema = Type.Object({
  refresh_token: Type.Optional(Type.String({ description: 'The refresh token. Without it, the other places are looked at.' })),
}, { additionalProperties: false })

export const UsernameSchema = Type.String({ maxLength: 256, description: '1 to 64 characters, no @.' })
export const EmailSchema = Type.String({ maxLength: 254, description: 'An e-mail address.' })

/**
 * Keywords of a field for the document alone. A validator would count other characters than the policy, which
 * normalises first, and would answer with an error that is not about passwords.
 */
export const shown = Symbol('shown')

/** A new password, with the rules that a form can show. */
export function PasswordSchema ({ password: { minLength, maxLength, blocklist, breached } }: Pick<Settings, 'password'>) {
  const rules = [
    `${minLength} to ${maxLength} characters, of any kind but control characters.`,
    ...blocklist ? ['No common password, no few characters over and over, and no row of letters, digits or keys.'] : [],
    'Not built on the user name, the e-mail address or a word of this service.',
    ...breached ? ['None that is known from a data breach.'] : [],
  ]
  return Type.String({ description: rules.join(' '), [shown]: { minLength, maxLength } })
}

/** How RFC 7009 and RFC 7662 speak of a token, and in which forms. */
export const tokenFields = {
  token: Type.String(),
  token_type_hint: Type.Optional(Type.String({ description: 'Not needed: a token says what it is.' })),
}
export const tokenForms = ['application/x-www-form-urlencoded', 'application/json']

export const tags = ['accounts']

export type ErrorClass = new (...args: never[]) => FastifyError

/** What every route with a body may answer beside its own errors. */
export const bodyErrors: ErrorClass[] = [
  errors.InputInvalid, errors.Unavailable, errorCodes.FST_ERR_CTP_BODY_TOO_LARGE, errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE,
]

/** What a route that sets cookies may answer beside. */
export function ownSiteErrors (transport: Settings['transport']): ErrorClass[] {
  return transport === 'body' ? [] : [errors.CsrfFailed]
}

/** What the access guard may answer; where it looks for cookies, and the route changes something, a request from elsewhere too. */
export function accessErrors (locations: Location[] = []): ErrorClass[] {
  return [
    errors.TokenMissing, errors.HeaderMalformed, errors.TokenInvalid, errors.TokenExpired, errors.TokenWrongType,
    errors.TokenRevoked, errors.Unavailable, ...locations.includes('cookie') ? [errors.CsrfFailed] : [],
  ]
}

/** What the refresh guard may answer. */
export function refreshErrors (locations: Location[]): ErrorClass[] {
  return [...accessErrors(locations), ...bodyErrors, errors.RefreshReused]
}

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
