import type { AnyRequest } from '../http/request.ts'
import type { AccessClaims } from '../tokens/claims.ts'
import type { AccountsUser } from '../users/public-user.ts'
import type { Consistency } from './options.ts'

/** What an API key says, as the claims of a token. */
export interface KeyClaims {
  /** The id of the user that the key is of. */
  sub: string
  /** The id of the user too: nobody but them has asked for the key. */
  client_id: string
  /** Its scopes, with spaces between them (RFC 8693 §4.2). */
  scope: string
  /** In seconds since 1970. Absent where it never expires. */
  exp?: number
}

/** An API key that is good. It is frozen, since many requests share it. */
export interface KnownKey {
  id: string
  userId: string
  scopes: readonly string[]
  /** What requests are told of it. */
  claims: KeyClaims
  /** What is asked about it, as of an access token: its id stands for the session, and no epoch ends it. */
  inner: AccessClaims
}

/** Knows API keys, for guards. */
export interface KeyDoor {
  /**
   * The API key that a request brings, right or wrong; undefined where it brings none.
   * @throws {HeaderMalformed} when not exactly one token follows the right scheme in the header
   */
  locate: (request: AnyRequest) => string | undefined
  /**
   * The key of this text, and its user. What is known costs no query, unless the guard is strict.
   * @throws {TokenInvalid | TokenExpired | TokenRevoked | ClaimsRefused} a 401
   * @throws {Throttled} where the network of the request has sent too many wrong ones
   */
  admit: (text: string, consistency: Consistency, request: AnyRequest) => Promise<{ key: KnownKey, user: AccountsUser }>
  /**
   * The second until which this key is good, asked again since it has changed.
   * @throws {TokenInvalid | TokenExpired | TokenRevoked | Unavailable}
   */
  expiryOf: (text: string) => Promise<number>
}

/** Where guards ask about API keys. A feature brings the door when it is opened; without one there are no keys. */
export interface KeyAccess {
  door: KeyDoor | undefined
}
