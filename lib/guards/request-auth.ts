import { OptionsInvalid } from '../http/errors.ts'
import type { AnyReply } from '../http/request.ts'
import type { Signals } from '../sessions/signals.ts'
import type { TokenClaims } from '../tokens/claims.ts'
import type { Level, Proved } from '../tokens/levels.ts'
import type { TokenHeader, VerifiedToken } from '../tokens/tokens.ts'
import type { Location } from '../transport/options.ts'
import type { Wording } from '../http/wording.ts'
import type { AuthenticationSettings, GuardSettings } from './options.ts'

/** The claims of the token that let the request in. */
export interface RequestAuth {
  claims: TokenClaims
  /** The token's JOSE header. */
  header: TokenHeader
  sessionId: string
  /** The id of the API key, and no session, where one let the request in: at guards with `keys: true` alone. */
  keyId?: string | undefined
  /** What the API key is for. */
  scopes?: readonly string[] | undefined
  location: Location
  /** True if everything that the account requires was proved within the last 10 minutes. */
  fresh: boolean
  /** The level of authentication (RFC 9068 §2.2.1). Undefined without the options `factors` and `passkeys`. */
  acr: Level | undefined
  /** The methods of authentication (RFC 8176). Undefined without the options `factors` and `passkeys`. */
  amr: string[] | undefined
  /**
   * In a session that an admin has borrowed, the id of that admin: whoever acts is not the user. Undefined in every
   * other one, and without the option `admin.impersonation`.
   */
  actor: string | undefined
  /** The name of the accounts that let the request in. */
  instance: string
  /**
   * Fires when the token ends while the response is being sent or an upgraded connection is open: when its session
   * ends, it is revoked, expires or is superseded, or its user is signed out, disabled or deleted, by whomever and in
   * any process. Its `reason` is the error that a guard would answer with from then on: `ACCOUNTS_TOKEN_REVOKED`,
   * `ACCOUNTS_TOKEN_EXPIRED`, `ACCOUNTS_TOKEN_SUPERSEDED`, or `ACCOUNTS_UNAVAILABLE` if the process is cut off from its
   * database. Costs nothing until it is read.
   * @throws {OptionsInvalid} if a guard was called by hand without the reply: `app.authenticate(request, reply)`
   */
  readonly signal: AbortSignal
}

/** The verified token of a request, and where it was. */
export type RequestToken = VerifiedToken & { location: Location }

/** Makes `request.auth` of a token that let a request in. */
export type AuthOfRequests = new (
  token: RequestToken, fresh: boolean, proved: Proved | undefined, actor: string | undefined,
  guard: Pick<GuardSettings, 'consistency'>, reply?: AnyReply
) => RequestAuth

/**
 * A class, so that the getter of `signal` is on its prototype: a closure, or a second object, would cost every request.
 */
export function createAuthOfRequests (
  signals: Signals, wording: Wording, { name }: AuthenticationSettings
): AuthOfRequests {
  return class implements RequestAuth {
    claims: TokenClaims
    header: TokenHeader
    sessionId: string
    location: Location
    fresh: boolean
    acr: Level | undefined
    amr: string[] | undefined
    actor: string | undefined
    instance: string
    #isStateless: boolean
    #reply: AnyReply | undefined
    #signal: AbortSignal | undefined

    constructor (
      { claims, header, location }: RequestToken,
      fresh: boolean,
      proved: Proved | undefined,
      actor: string | undefined,
      { consistency }: Pick<GuardSettings, 'consistency'>,
      reply?: AnyReply
    ) {
      this.claims = claims as TokenClaims
      this.header = header
      this.sessionId = claims.sid
      this.location = location
      this.fresh = fresh
      this.acr = proved?.acr
      this.amr = proved?.amr
      this.actor = actor
      this.instance = name
      this.#isStateless = consistency === 'stateless'
      this.#reply = reply
    }

    get signal (): AbortSignal {
      this.#signal ??= this.#watch(this.#reply)
      return this.#signal
    }

    #watch (reply: AnyReply | undefined): AbortSignal {
      requireReply(reply, 'authenticate(request, reply)')
      const admitted = { claims: this.claims, isStateless: this.#isStateless }
      return signals.of(admitted, reply.raw, (reason) => wording(reason, reply.request))
    }
  }
}

/**
 * Asks for the reply that says when the response is over.
 * @throws {OptionsInvalid} where a guard was called without it
 */
export function requireReply (reply: AnyReply | undefined, call: string): asserts reply is AnyReply {
  if (reply) return
  throw new OptionsInvalid('request.auth.signal has to know when the response is over: ' +
    `call the guard with the reply too, ${call}`)
}
