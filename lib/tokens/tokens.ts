import { isUtf8 } from 'node:buffer'
import { Ajv } from 'ajv'
import { TokenExpired, TokenInvalid, TokenWrongType } from '../errors.ts'
import type { Settings } from '../settings.ts'
import { AccessClaimsSchema, accessClaims, type AccessClaims } from './access-token.ts'
import { areOurs, isExpired, type TokenSubject } from './claims.ts'
import { kindOf, type Keyring, type TokenKind } from './keyring.ts'
import { RefreshClaimsSchema, refreshClaims, type RefreshClaims } from './refresh-token.ts'

/** The JOSE header of a token of ours. */
export interface TokenHeader {
  alg: string
  typ: string
  kid: string
}

interface Verified<Kind, Claims> {
  kind: Kind
  header: TokenHeader
  claims: Claims
}
export type VerifiedToken = Verified<'access', AccessClaims> | Verified<'refresh', RefreshClaims>
export type TokenOf<Kind extends TokenKind> = Extract<VerifiedToken, { kind: Kind }>

/** RFC 6749 §5.1. Seconds. */
export interface TokenPair {
  access_token: string
  token_type: 'Bearer'
  expires_in: number
  refresh_token: string
  refresh_expires_in: number
}

export interface Tokens {
  /** A new access token and the session's current refresh token. */
  issue: (session: TokenSubject) => TokenPair
  /**
   * Checks all that a token of one of these kinds says of itself: structure, key, signature, kind, claims, expiry, in
   * this order.
   * @throws {TokenInvalid | TokenWrongType | TokenExpired} a 401, whatever the token holds
   */
  verify: <Kind extends TokenKind>(token: string, kinds: Kind[]) => TokenOf<Kind>
  /** One of these kinds, and an expired refresh token too: who asks to be logged out needs no living one. */
  verifyForLogout: (token: string, kinds: TokenKind[]) => VerifiedToken
}

/** RFC 7515 §7.1, compact serialization. A length bound, so that a hostile text costs nothing. */
const compact = /^(?<header>[\w-]{1,1024})\.(?<payload>[\w-]{1,8192})\.[\w-]{1,1024}$/

export function createTokens (keyring: Keyring, settings: Settings): Tokens {
  const lifetimes = { access: settings.access.expiresInSeconds, refresh: settings.refresh.expiresInSeconds }
  const ajv = new Ajv({ allowUnionTypes: true })
  const shapes = { access: ajv.compile(AccessClaimsSchema), refresh: ajv.compile(RefreshClaimsSchema) }

  function open (token: string): VerifiedToken {
    const { header, payload } = compact.exec(token)?.groups ?? refuse()
    const { typ, kid, ...more } = parseHeader(header!)
    const kind = typeof typ === 'string' ? kindOf(typ) : undefined
    // No extension is understood, so a token that insists on one is refused (RFC 7515 §4.1.11, RFC 7797 §6).
    if (!kind || kid !== keyring.kid || 'crit' in more || 'b64' in more) throw new TokenInvalid()
    requireUtf8(payload!)

    return { kind, ...verifySignature(kind, token) } as VerifiedToken
  }

  function verifySignature (kind: TokenKind, token: string) {
    try {
      const { header, payload } = keyring[kind].verify<{ header: TokenHeader, payload: unknown }>(token)
      return { header, claims: payload }
    } catch {
      // What the library calls it depends on the token, and much of it would be a 500.
      return refuse()
    }
  }

  /** Everything but expiry. */
  function authentic<Kind extends TokenKind> (token: string, kinds: Kind[]): TokenOf<Kind> {
    const verified = open(token)
    if (!isOneOf(verified, kinds)) throw new TokenWrongType()

    const { kind, claims } = verified
    if (!shapes[kind](claims) || !areOurs(claims, settings, lifetimes[kind])) throw new TokenInvalid()
    return verified
  }

  function alive<Token extends VerifiedToken> (token: Token): Token {
    if (isExpired(token.claims)) throw new TokenExpired()
    return token
  }

  return {
    issue (session) {
      const access = accessClaims(session, settings, lifetimes.access)
      const refresh = refreshClaims(session, settings)

      return {
        access_token: keyring.access.sign(access),
        token_type: 'Bearer',
        expires_in: access.exp - access.iat,
        refresh_token: keyring.refresh.sign(refresh),
        refresh_expires_in: refresh.exp - access.iat,
      }
    },
    verify: (token, kinds) => alive(authentic(token, kinds)),
    verifyForLogout (token, kinds) {
      const verified = authentic(token, kinds)
      return verified.kind === 'access' ? alive(verified) : verified
    },
  }
}

/** RFC 7519 §7.2: both parts are UTF-8. The library reads what is not as replacement characters. */
function requireUtf8 (segment: string): Buffer {
  const bytes = Buffer.from(segment, 'base64url')
  return isUtf8(bytes) ? bytes : refuse()
}

/** The unverified header: it only chooses the key, and is compared with fixed values. */
function parseHeader (segment: string): Record<string, unknown> {
  const bytes = requireUtf8(segment)
  try {
    return { ...JSON.parse(bytes.toString()) }
  } catch {
    return refuse()
  }
}

function isOneOf<Kind extends TokenKind> (token: VerifiedToken, kinds: Kind[]): token is TokenOf<Kind> {
  return (kinds as TokenKind[]).includes(token.kind)
}

function refuse (): never {
  throw new TokenInvalid()
}
