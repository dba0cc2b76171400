import { isUtf8 } from 'node:buffer'
import { Ajv } from 'ajv'
import { LRUCache } from 'lru-cache'
import { whenFirstCalled } from '../http/compiling.ts'
import { TokenExpired, TokenInvalid, TokenTooLarge, TokenWrongType } from './errors.ts'
import { frozen } from '../checks/frozen.ts'
import type { Telemetry } from '../events/telemetry.ts'
import type { TokenCounters } from './events.ts'
import { AccessClaimsSchema, accessClaims, type AccessClaims } from './access-token.ts'
import { areOurs, hasBegun, isAhead, isExpired, type TokenSubject } from './claims.ts'
import { kindOf, type Keyring, type RingKey, type TokenKind } from './keyring.ts'
import type { TokenSettings } from './options.ts'
import { RefreshClaimsSchema, refreshClaims, refreshSuffix, type Parent, type RefreshClaims } from './refresh-token.ts'

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

/** A token that nobody has checked. */
export interface DecodedToken {
  header: Record<string, unknown>
  claims: Record<string, unknown>
}

/** RFC 6749 §5.1. Seconds. */
export interface TokenPair {
  access_token: string
  token_type: 'Bearer'
  expires_in: number
  refresh_token: string
  refresh_expires_in: number
}

/** The refresh token of an answer: a new one, with what it descends from, or the very one that was shown. */
export type RefreshChoice = { parent: Parent } | { shown: string, claims: Pick<RefreshClaims, 'exp'> }

export interface Tokens {
  /**
   * A new access token, with the host's claims, and a refresh token of the session. Where there are public keys only, nobody asks.
   * @throws {TokenTooLarge} for claims that nobody could read back
   */
  issue: (session: TokenSubject, claims: object, choice: RefreshChoice) => TokenPair
  /**
   * Checks all that a token of one of these kinds says of itself: structure, key, signature, kind, claims, expiry, in
   * this order.
   * @throws {TokenInvalid | TokenWrongType | TokenExpired} a 401, whatever the token holds
   */
  verify: <Kind extends TokenKind>(token: string, kinds: Kind[]) => TokenOf<Kind>
  /**
   * One of these kinds, and an expired refresh token too, for who tells of it or logs out, which needs no living one. No
   * clock that is behind stands in the way.
   */
  verifyEvenExpired: <Kind extends TokenKind>(token: string, kinds: Kind[]) => TokenOf<Kind>
  /**
   * What a token says of itself, with nothing checked: never a reason to let anybody in.
   * @throws {TokenInvalid} when it cannot be read
   */
  decode: (token: string) => DecodedToken
}

/** RFC 7515 §7.1, compact serialization. A length bound, so that a hostile text costs nothing. */
const compact = /^(?<header>[\w-]{1,1024})\.(?<payload>[\w-]{1,8192})\.[\w-]{1,1400}$/

/** So many access tokens are remembered at most, and so many characters of them: 16 MiB, and their claims. */
const mostKnown = { tokens: 20_000, characters: 2 ** 24 }

const compile = (schema: object) => new Ajv({ validateSchema: false, meta: false }).compile(schema)
const shapes = { access: whenFirstCalled(() => compile(AccessClaimsSchema)), refresh: whenFirstCalled(() => compile(RefreshClaimsSchema)) }

export function createTokens (keyring: Keyring, settings: TokenSettings, { counters }: Telemetry<TokenCounters>): Tokens {
  const lifetimes = { access: settings.access.expiresInSeconds, refresh: settings.refresh.expiresInSeconds }
  const parties = { access: settings, refresh: { issuer: settings.issuer, audiences: settings.audiences.map((audience) => `${audience}${refreshSuffix}`) } }
  const known = new LRUCache<string, VerifiedToken>({ max: mostKnown.tokens, maxSize: mostKnown.characters, sizeCalculation: (_, text) => text.length })

  function open (token: string): VerifiedToken {
    const { header, payload } = compact.exec(token)?.groups ?? refuse()
    const { typ, kid, ...more } = parse(header!)
    const kind = typeof typ === 'string' ? kindOf(typ) : undefined
    const key = keyring.find(kid)
    // No extension is understood, so a token that insists on one is refused (RFC 7515 §4.1.11, RFC 7797 §6).
    if (!kind || !key || 'crit' in more || 'b64' in more) throw new TokenInvalid()
    requireUtf8(payload!)

    return { kind, ...verifySignature(key, kind, token) } as VerifiedToken
  }

  function verifySignature (key: RingKey, kind: TokenKind, token: string) {
    try {
      const { header, payload } = key[kind].verify<{ header: TokenHeader, payload: unknown }>(token)
      return { header, claims: payload }
    } catch {
      // What the library calls it depends on the token, and much of it would be a 500.
      return refuse()
    }
  }

  /** Everything but expiry. What is remembered of an access token is what it says: never that it is still good. */
  function authentic<Kind extends TokenKind> (text: string, kinds: Kind[]): TokenOf<Kind> {
    // Not `get`: what is forgotten while it is in use is verified once more, and that is cheaper than to keep the order of all.
    const remembered = known.peek(text)
    counters[remembered ? 'tokensRemembered' : 'tokensVerified']++
    const verified = remembered ?? open(text)
    if (!isOneOf(verified, kinds)) throw new TokenWrongType()

    const { kind, claims } = verified
    const isRight = remembered !== undefined || (shapes[kind](claims) && areOurs(claims, parties[kind], lifetimes[kind]))
    if (!isRight || !hasBegun(claims, settings.leewaySeconds)) throw new TokenInvalid()
    if (!remembered && kind === 'access') known.set(text, frozen(verified))
    return verified
  }

  /** A session's row knows about refresh tokens, whatever the clocks; of access tokens a clock alone can tell. */
  function usable<Token extends VerifiedToken> (token: Token): Token {
    if (token.kind === 'access' && isAhead(token.claims)) throw new TokenExpired()
    return alive(token)
  }

  function alive<Token extends VerifiedToken> (token: Token): Token {
    if (isExpired(token.claims, settings.leewaySeconds)) throw new TokenExpired()
    return token
  }

  return {
    issue (session, claims, choice) {
      const key = keyring.signing!
      const access = accessClaims(session, claims, settings, lifetimes.access)
      const accessToken = key.access.sign(access)
      if (!compact.test(accessToken)) throw new TokenTooLarge()
      const refresh = 'shown' in choice ? choice.claims : refreshClaims(session, settings, lifetimes.refresh, choice.parent)

      return {
        access_token: accessToken,
        token_type: 'Bearer',
        expires_in: access.exp - access.iat,
        refresh_token: 'shown' in choice ? choice.shown : key.refresh.sign(refresh),
        refresh_expires_in: refresh.exp - access.iat,
      }
    },
    verify: (token, kinds) => usable(authentic(token, kinds)),
    verifyEvenExpired (token, kinds) {
      const verified = authentic(token, kinds)
      return verified.kind === 'access' ? alive(verified) : verified
    },
    decode (token) {
      const { header, payload } = compact.exec(token)?.groups ?? refuse()
      return { header: parse(header!), claims: parse(payload!) }
    },
  }
}

/** RFC 7519 §7.2: both parts are UTF-8. The library reads what is not as replacement characters. */
function requireUtf8 (segment: string): Buffer {
  const bytes = Buffer.from(segment, 'base64url')
  return isUtf8(bytes) ? bytes : refuse()
}

/** What a segment says, unverified. A header only chooses the key, and is compared with fixed values. */
function parse (segment: string): Record<string, unknown> {
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
