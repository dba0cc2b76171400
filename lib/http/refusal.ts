import createError, { type FastifyError } from '@fastify/error'

/** The values of `error` in a challenge: RFC 6750 §3.1, RFC 9470 §3. */
type ChallengeError = 'invalid_request' | 'invalid_token' | 'insufficient_scope' | 'insufficient_user_authentication'

/** An error with its challenge, which `wording.ts` writes anew for an app that has a realm or a scheme of its own. */
export type ChallengedError = FastifyError & {
  /** Undefined for the scheme that tokens come with. */
  scheme: 'Basic' | undefined
  /** What follows the realm. */
  parameters: string
  headers: { 'www-authenticate': string }
}

/**
 * An error that carries its `WWW-Authenticate` challenge (RFC 6750 §3, RFC 9470 §3) in `headers`, where Fastify's error
 * handler looks. Set on the reply instead, the challenge would stay there when another strategy lets the request in.
 */
export function challenged<Code extends string> (
  code: Code, message: string, statusCode = 401, error?: ChallengeError, scheme?: 'Basic'
) {
  const Challenged = createError<Code, []>(code, message, statusCode)
  const parameters = error ? `, error="${error}", error_description="${message}"` : ''
  const challenge = `${scheme ?? 'Bearer'} realm="accounts"${parameters}`
  Object.assign(Challenged.prototype, { scheme, parameters, headers: { 'www-authenticate': challenge } })
  return Challenged as unknown as new () => ChallengedError & { code: Code }
}

/** An error that says in `Retry-After` (RFC 9110 §10.2.3) how many seconds to wait: at least one. */
export function postponed<Code extends string> (code: Code, message: string, statusCode: number) {
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

/** Rounded up, so that nobody comes again too early. */
function inWords (seconds: number): string {
  if (seconds > 120) return `${Math.ceil(seconds / 60)} minutes`
  return seconds === 1 ? '1 second' : `${seconds} seconds`
}
