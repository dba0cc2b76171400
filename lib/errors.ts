import createError, { type FastifyError } from '@fastify/error'

/**
 * Every error of the plugin: `code`, status and sentence, thrown as
 * `{ statusCode, code, error, message }`. The sentences are fixed text: nothing of a request stands in them,
 * but the name of a field in `ACCOUNTS_INPUT_INVALID` and `ACCOUNTS_USER_EXISTS`; and how long to wait.
 */

export const TokenMissing = challenged('ACCOUNTS_TOKEN_MISSING', 'There is no token where this route looks for one')
export const HeaderMalformed = challenged('ACCOUNTS_HEADER_MALFORMED',
  'The header of the token must be its scheme, one or more spaces and one token; a token among subprotocols must be one, and not the first', 400, 'invalid_request')
export const TokenInvalid = challenged('ACCOUNTS_TOKEN_INVALID', 'The token is not valid', 401, 'invalid_token')
export const TokenExpired = challenged('ACCOUNTS_TOKEN_EXPIRED', 'The token has expired', 401, 'invalid_token')
export const TokenWrongType = challenged('ACCOUNTS_TOKEN_WRONG_TYPE',
  'An access token is needed where a refresh token was sent, or the reverse', 401, 'invalid_token')
export const TokenRevoked = challenged('ACCOUNTS_TOKEN_REVOKED', 'The token, or its session, is over', 401, 'invalid_token')
export const TokenSuperseded = challenged('ACCOUNTS_TOKEN_SUPERSEDED', 'The session goes on with newer tokens', 401, 'invalid_token')
export const ClaimsRefused = challenged('ACCOUNTS_CLAIMS_REFUSED', 'The app does not accept the claims of the token', 401, 'invalid_token')
export const RefreshReused = challenged('ACCOUNTS_REFRESH_REUSED',
  'The refresh token was used before, so its session has been ended', 401, 'invalid_token')
export const TokenStale = challenged('ACCOUNTS_TOKEN_STALE',
  'The password was checked too long ago', 401, 'insufficient_user_authentication')
export const Forbidden = challenged('ACCOUNTS_FORBIDDEN', 'The user may not do this', 403, 'insufficient_scope')
export const CsrfFailed = createError<'ACCOUNTS_CSRF_FAILED', [reason: string]>('ACCOUNTS_CSRF_FAILED', '%s', 403)
export const ClientInvalid = challenged('ACCOUNTS_CLIENT_INVALID', 'The id or the secret of the client is not right', 401, undefined, 'Basic')
export const CredentialsInvalid = challenged('ACCOUNTS_CREDENTIALS_INVALID', 'The name, the address or the password is not right')
export const SessionsFull = createError('ACCOUNTS_SESSIONS_FULL',
  'The user is signed in in too many places: sign out in one of them, and try again', 403)
export const UserExists = named('ACCOUNTS_USER_EXISTS', 'The %s is taken', 409)
export const UserReferenced = createError<'ACCOUNTS_USER_REFERENCED', [{ cause: unknown }?]>('ACCOUNTS_USER_REFERENCED',
  'There is data that refers to the user, so the user cannot be deleted', 409)
export const LastAdmin = createError('ACCOUNTS_LAST_ADMIN',
  'There would be no admin left: make somebody else an admin first', 409)
export const ConstraintViolated = createError<'ACCOUNTS_CONSTRAINT_VIOLATED', [{ cause: unknown }?]>('ACCOUNTS_CONSTRAINT_VIOLATED',
  'A rule of the database does not allow this', 409)
export const PasswordRejected = createError<'ACCOUNTS_PASSWORD_REJECTED', [rule: string]>('ACCOUNTS_PASSWORD_REJECTED', 'The password %s', 400)
export const InputInvalid = createError<'ACCOUNTS_INPUT_INVALID', [reason: string]>('ACCOUNTS_INPUT_INVALID', '%s', 400)
export const Throttled = postponed('ACCOUNTS_THROTTLED', 'There were too many attempts: try again in %s', 429)
export const NotFound = createError('ACCOUNTS_NOT_FOUND', 'There is no such user or session', 404)
export const IssuingOff = createError('ACCOUNTS_ISSUING_OFF', 'There is no key that signs, so no tokens can be issued', 501)
export const TokenTooLarge = createError('ACCOUNTS_TOKEN_TOO_LARGE',
  'The token is too long for a cookie or for a header: the claims must be fewer', 500)
export const Busy = postponed('ACCOUNTS_BUSY', 'Too many passwords wait to be checked: try again in %s', 503)
export const Unavailable = createError<'ACCOUNTS_UNAVAILABLE', [{ cause: unknown }?]>('ACCOUNTS_UNAVAILABLE',
  'The service is not available at the moment', 503)
export const OptionsInvalid = createError<'ACCOUNTS_OPTIONS_INVALID', [problems: string, { cause: unknown }?]>('ACCOUNTS_OPTIONS_INVALID',
  'fastify-jwt-accounts cannot start: %s', 500)

/** The values of `error` in a challenge: RFC 6750 §3.1, RFC 9470 §3. */
type ChallengeError = 'invalid_request' | 'invalid_token' | 'insufficient_scope' | 'insufficient_user_authentication'

/** An error with its challenge, which `wording.ts` writes anew for an app that has a realm or a scheme of its own. */
export type ChallengedError = FastifyError & {
  /** Undefined: the scheme that tokens come with. */
  scheme: 'Basic' | undefined
  /** What follows the realm. */
  parameters: string
  headers: { 'www-authenticate': string }
}

/**
 * An error that carries its `WWW-Authenticate` challenge (RFC 6750 §3, RFC 9470 §3) in `headers`, where Fastify's error
 * handler looks. Set on the reply instead, the challenge would stay there when another strategy lets the request in.
 */
function challenged<Code extends string> (code: Code, message: string, statusCode = 401, error?: ChallengeError, scheme?: 'Basic') {
  const Challenged = createError<Code, []>(code, message, statusCode)
  const parameters = error ? `, error="${error}", error_description="${message}"` : ''
  Object.assign(Challenged.prototype, { scheme, parameters, headers: { 'www-authenticate': `${scheme ?? 'Bearer'} realm="accounts"${parameters}` } })
  return Challenged as unknown as new () => ChallengedError & { code: Code }
}

/** An error about one field of a user, by its name. */
function named<Code extends string> (code: Code, message: string, statusCode: number) {
  const Named = createError<Code, [field: string]>(code, message, statusCode)
  return class extends Named {
    field: string

    constructor (field = 'username') {
      super(field)
      this.field = field
    }
  }
}

/** An error that says in `Retry-After` when to come again, in seconds (RFC 9110 §10.2.3): in one, where it is not told. */
function postponed<Code extends string> (code: Code, message: string, statusCode: number) {
  const Postponed = createError<Code, [wait: string]>(code, message, statusCode)
  return class extends Postponed {
    headers: { 'retry-after': string }

    constructor (waitMs = 0) {
      const seconds = Math.max(1, Math.ceil(waitMs / 1000))
      super(inWords(seconds))
      this.headers = { 'retry-after': `${seconds}` }
    }
  }
}

/** Never shorter than it is. */
function inWords (seconds: number): string {
  if (seconds > 120) return `${Math.ceil(seconds / 60)} minutes`
  return seconds === 1 ? '1 second' : `${seconds} seconds`
}
