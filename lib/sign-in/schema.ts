import { Type, type TSchema } from '@sinclair/typebox'
import type { FastifyError } from '@fastify/error'
import { errorCodes } from 'fastify'
import { component } from '../http/component.ts'
import type { Issuing } from './grant.ts'
import { ConstraintViolated } from '../database/errors.ts'
import { ClaimsRefused } from '../guards/errors.ts'
import { InputInvalid, Unavailable } from '../http/errors.ts'
import { RefreshReused, TokenRevoked, TokenSuperseded } from '../sessions/errors.ts'
import { TokenExpired, TokenInvalid, TokenWrongType } from '../tokens/errors.ts'
import { CsrfFailed, HeaderMalformed, TokenMissing } from '../transport/errors.ts'
import { UserExists } from '../users/errors.ts'
import type { PasswordSettings } from '../features/passwords/options.ts'
import type { Location, Transport, TransportSettings } from '../transport/options.ts'
import type { UserSettings } from '../users/options.ts'

/** A pair of tokens, or what is left of it in a body when they travel in cookies. */
export function tokenResponseSchema ({ settings: { transport, access, refresh }, publicUsers }: Issuing) {
  const inBody = (schema: TSchema) => transport === 'body' ? schema : Type.Optional(schema)
  const inCookies = (schema: TSchema) => transport === 'cookie' ? schema : Type.Optional(schema)

  return component('TokenResponse', Type.Object({
    ...transport !== 'cookie' && {
      access_token: inBody(Type.String({ description: 'Goes into the header Authorization: Bearer.', examples: ['eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9…'] })),
    },
    token_type: Type.Literal('Bearer'),
    expires_in: Type.Integer({ description: 'Seconds until the access token is over.', examples: [access.expiresInSeconds] }),
    ...transport !== 'cookie' && {
      refresh_token: inBody(Type.String({ description: 'Buys the next pair of tokens at the refresh route. Keep it secret.', examples: ['eyJhbGciOiJIUzI1NiIsInR5cCI6InJ0K2p3dCJ9…'] })),
    },
    refresh_expires_in: Type.Integer({ description: 'Seconds until the refresh token is over.', examples: [refresh.expiresInSeconds] }),
    ...transport !== 'body' && {
      csrf_token: inCookies(Type.String({ description: 'Goes into a header of requests with cookies that change something.', ...transport === 'cookie' && { examples: ['K3vXc0mY7dQm2h8sJw9rTfUeNqLbAz4i1oGp5yRtWxE'] } })),
    },
    user: publicUsers.schema,
  }, { description: 'A pair of tokens and their user', ...setsCookies(transport, 'The tokens and the value against CSRF, where a session has them in cookies.') }))
}

/** The header that brings cookies or takes them back, where there are any. */
function setsCookies (transport: TransportSettings['transport'], description: string) {
  return transport !== 'body' && { headers: { 'set-cookie': { type: 'string', description } } }
}

/** How a client says where its tokens are to go, where it may say so. */
export function transportFields (transport: TransportSettings['transport']) {
  return transport === 'both' && {
    transport: Type.Optional(Type.Unsafe<Transport>({ type: 'string', enum: ['body', 'cookie'], description: 'How the tokens of this session travel, now and later. Default body.' })),
  }
}

export const NothingSchema = Type.Null({ description: 'Done' })

/** Nothing, but that a browser is told to forget the session. */
export function ForgottenSchema ({ transport }: TransportSettings) {
  return Type.Null({ description: 'Done', ...setsCookies(transport, 'Takes the cookies of the session back, where it had any.') })
}

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
export function PasswordSchema ({ password: { minLength, maxLength, blocklist, breached } }: PasswordSettings) {
  const rules = [
    `${minLength} to ${maxLength} characters, of any kind but control and unassigned characters.`,
    ...blocklist ? ['No common password, no few characters over and over, and no row of letters, digits or keys.'] : [],
    'Not built on the user name, the e-mail address or a word of this service.',
    ...breached ? ['None that is known from a data breach.'] : [],
  ]
  return Type.String({ description: rules.join(' '), [shown]: { minLength, maxLength } })
}

/** How RFC 7009 and RFC 7662 speak of a token, and in which forms. */
export const tokenFields = {
  token: Type.String({ description: 'An access token or a refresh token.' }),
  token_type_hint: Type.Optional(Type.String({ description: 'Not needed: a token says what it is.' })),
}
export const tokenForms = ['application/x-www-form-urlencoded', 'application/json']

export const tags = ['accounts']

export type ErrorClass = new (...args: never[]) => FastifyError

/** What every route with a body may answer beside its own errors. */
export const bodyErrors: ErrorClass[] = [
  InputInvalid, ConstraintViolated, Unavailable, errorCodes.FST_ERR_CTP_BODY_TOO_LARGE, errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE,
]

/** What a route may answer beside that changes fields of the app's own. */
export function uniqueErrors ({ user: { fields } }: UserSettings): ErrorClass[] {
  return Object.values(fields).some((field) => field.unique) ? [UserExists] : []
}

/** What a route that sets cookies may answer beside. */
export function ownSiteErrors (transport: TransportSettings['transport']): ErrorClass[] {
  return transport === 'body' ? [] : [CsrfFailed]
}

/** What the access guard may answer; where it looks for cookies, and the route changes something, a request from elsewhere too. */
export function accessErrors (locations: Location[] = []): ErrorClass[] {
  return [
    TokenMissing, HeaderMalformed, TokenInvalid, TokenExpired, TokenWrongType,
    TokenRevoked, TokenSuperseded, ClaimsRefused, Unavailable, ...locations.includes('cookie') ? [CsrfFailed] : [],
  ]
}

/** What the refresh guard may answer. */
export function refreshErrors (locations: Location[]): ErrorClass[] {
  return [...accessErrors(locations), ...bodyErrors, RefreshReused]
}

/** Under this key a schema keeps the errors that it stands for. */
export const behind = Symbol('errors behind a status')

export const ErrorSchema = component('Error', Type.Object({
  statusCode: Type.Integer({ description: 'The status, once more.' }),
  code: Type.String({ description: 'Stable: programs compare this.' }),
  error: Type.String({ description: 'The name of the status.' }),
  message: Type.String({ description: 'For people.' }),
}, { description: 'Why a request was refused' }))

/** The `response` of a route: what it gives, and each status that it may refuse with, naming the codes. */
export function answers (given: Record<number, TSchema>, ...refusals: ErrorClass[]): Record<number, TSchema> {
  const thrown = new Map(refusals.map((Refusal) => new Refusal()).map((error) => [error.code, error]))
  const byStatus = Object.groupBy(thrown.values(), ({ statusCode }) => statusCode!)
  return { ...given, ...Object.fromEntries(Object.entries(byStatus).map(([status, errors]) => [status, refusalSchema(errors!)])) }
}

/** The `response` of a route that takes cookies back with what it refuses for good: see `clearRefused`. */
export function clearingAnswers (locations: Location[], given: Record<number, TSchema>, ...refusals: ErrorClass[]): Record<number, TSchema> {
  const all = answers(given, ...refusals)
  const description = 'Takes the cookies back, if the token was in one.'
  return locations.includes('cookie') ? { ...all, 401: { ...all[401]!, headers: { 'set-cookie': { type: 'string', description } } } } : all
}

function refusalSchema (errors: FastifyError[]) {
  const codes = errors.map(({ code }) => code)
  const CodeSchema = Type.Object({
    code: Type.Unsafe<string>({ type: 'string', enum: codes }),
    ...codes.includes('ACCOUNTS_USER_EXISTS') && { field: Type.Optional(Type.String({ description: 'What is taken, where the code says that something is: username, email, or a field of the app.' })) },
  })
  return { ...Type.Intersect([ErrorSchema, CodeSchema], { description: codes.join(', ') }), [behind]: errors }
}
