import { Ajv } from 'ajv'
import { LRUCache } from 'lru-cache'
import { whenFirstCalled } from '../http/compiling.ts'
import { TokenExpired, TokenInvalid, TokenTooLarge, TokenWrongType } from './errors.ts'
import { frozen } from '../checks/frozen.ts'
import type { Telemetry } from '../events/events.ts'
import type { TokenCounters } from './events.ts'
import {
  accessClaims,
  AccessClaimsSchema,
  BorrowedClaimsSchema,
  BorrowedLeveledClaimsSchema,
  LeveledClaimsSchema,
  refreshClaims,
  RefreshClaimsSchema,
  refreshSuffix,
  type AccessClaims,
  type Parent,
  type Parties,
  type RefreshClaims,
  type SharedClaims,
  type TokenSubject
} from './claims.ts'
import { compact, decodeCompact, openSigned, type TokenHeader } from './compact.ts'
import { kindOf, type Keyring, type TokenKind } from './keyring.ts'
import type { TokenSettings } from './options.ts'

export type { TokenHeader } from './compact.ts'

interface Verified<Kind, Claims> {
  kind: Kind
  header: TokenHeader
  claims: Claims
}
export type VerifiedToken = Verified<'access', AccessClaims> | Verified<'refresh', RefreshClaims>
export type TokenOf<Kind extends TokenKind> = Extract<VerifiedToken, { kind: Kind }>

/** A token that was decoded and not checked. */
export interface DecodedToken {
  header: Record<string, unknown>
  claims: Record<string, unknown>
}

/** An access token by itself (RFC 6749 §5.1), and the seconds until it expires. */
export interface AccessToken {
  access_token: string
  token_type: 'Bearer'
  expires_in: number
}

/** RFC 6749 §5.1. Seconds. */
export interface TokenPair extends AccessToken {
  refresh_token: string
  refresh_expires_in: number
}

/** The refresh token of an answer: a new one, with its parent, or the very one that the client has shown. */
export type RefreshChoice = { parent: Parent } | { shown: string, claims: Pick<RefreshClaims, 'exp'> }

export interface Tokens {
  /**
   * A new access token, with the host's claims, and a refresh token of the session. Needs a key that signs.
   * @throws {TokenTooLarge} for claims that `verify` would refuse for their length
   */
  issue: (session: TokenSubject, claims: object, choice: RefreshChoice) => TokenPair
  /**
   * A new access token alone, with the host's claims, of a session that is not refreshed. Needs a key that signs.
   * @throws {TokenTooLarge} for claims that `verify` would refuse for their length
   */
  issueAccess: (session: TokenSubject, claims: object) => AccessToken
  /**
   * Checks a token of one of these kinds by itself: structure, key, signature, kind, claims and expiry, in this order.
   * @throws {TokenInvalid | TokenWrongType | TokenExpired} a 401, whatever the token holds
   */
  verify: <Kind extends TokenKind>(token: string, kinds: Kind[]) => TokenOf<Kind>
  /**
   * Checks a token of one of these kinds, but takes an expired refresh token too, and an access token whose `iat` is in
   * the future by our clock: for introspection and logout, which let nobody in.
   */
  verifyEvenExpired: <Kind extends TokenKind>(token: string, kinds: Kind[]) => TokenOf<Kind>
  /**
   * Reads a token and checks nothing: never a reason to let anybody in.
   * @throws {TokenInvalid} when it cannot be read
   */
  decode: (token: string) => DecodedToken
}

/** The most access tokens that are remembered, and the most characters of them: 16 MiB, and their claims. */
const mostKnown = { tokens: 20_000, characters: 2 ** 24 }

/** Says whether claims are as a schema has them. */
export const compileClaims = (schema: object) => new Ajv({ validateSchema: false, meta: false }).compile(schema)

const shapes = {
  access: whenFirstCalled(() => compileClaims(AccessClaimsSchema)),
  leveled: whenFirstCalled(() => compileClaims(LeveledClaimsSchema)),
  borrowed: whenFirstCalled(() => compileClaims(BorrowedClaimsSchema)),
  borrowedLeveled: whenFirstCalled(() => compileClaims(BorrowedLeveledClaimsSchema)),
  refresh: whenFirstCalled(() => compileClaims(RefreshClaimsSchema)),
}

export function createTokens (
  keyring: Keyring, settings: TokenSettings, { counters }: Telemetry<TokenCounters>
): Tokens {
  const { hasLevels, lendsSessions } = settings
  const usualShape = hasLevels ? shapes.leveled : shapes.access
  const borrowedShape = hasLevels ? shapes.borrowedLeveled : shapes.borrowed
  const shapeOf = {
    access: (claims: Partial<AccessClaims>) =>
      (lendsSessions && claims.act !== undefined ? borrowedShape : usualShape)(claims),
    refresh: shapes.refresh,
  }
  const lifetimes = { access: settings.access.expiresInSeconds, refresh: settings.refresh.expiresInSeconds }
  const refreshAudiences = settings.audiences.map((audience) => `${audience}${refreshSuffix}`)
  const parties = { access: settings, refresh: { issuer: settings.issuer, audiences: refreshAudiences } }
  const known = new LRUCache<string, VerifiedToken>({
    max: mostKnown.tokens, maxSize: mostKnown.characters, sizeCalculation: (_, text) => text.length,
  })

  function open (token: string): VerifiedToken {
    const { header, claims } = openSigned(token, (typ, kid) => {
      const kind = kindOf(typ)
      return kind && keyring.find(kid)?.[kind]
    })
    return { kind: kindOf(header.typ), header, claims } as VerifiedToken
  }

  /** Checks everything but expiry. Of an access token the claims are remembered, and never that it is still good. */
  function authentic<Kind extends TokenKind> (text: string, kinds: Kind[]): TokenOf<Kind> {
    // Not `get`: to verify a token again that was evicted while it was in use is cheaper than to keep the order of all.
    const remembered = known.peek(text)
    counters[remembered ? 'tokensRemembered' : 'tokensVerified']++
    const verified = remembered ?? open(text)
    if (!isOneOf(verified, kinds)) throw new TokenWrongType()

    const { kind, claims } = verified
    const isRight = remembered !== undefined ||
      (shapeOf[kind](claims as AccessClaims) && areOurs(claims, parties[kind], lifetimes[kind]))
    if (!isRight || !hasBegun(claims, settings.leewaySeconds)) throw new TokenInvalid()
    if (!remembered && kind === 'access') known.set(text, frozen(verified))
    return verified
  }

  /** Of refresh tokens the session's row decides, so only access tokens are refused when they come from the future. */
  function usable<Token extends VerifiedToken> (token: Token): Token {
    if (token.kind === 'access' && isAhead(token.claims)) throw new TokenExpired()
    return alive(token)
  }

  function alive<Token extends VerifiedToken> (token: Token): Token {
    if (isExpired(token.claims, settings.leewaySeconds)) throw new TokenExpired()
    return token
  }

  function access (session: TokenSubject, custom: object): { answer: AccessToken, iat: number } {
    const claims = accessClaims(session, custom, settings, lifetimes.access)
    const token = keyring.signing!.access.sign(claims)
    if (!compact.test(token)) throw new TokenTooLarge()
    const { exp, iat } = claims
    return { answer: { access_token: token, token_type: 'Bearer', expires_in: exp - iat }, iat }
  }

  return {
    issue (session, claims, choice) {
      const { answer, iat } = access(session, claims)
      const refresh = 'shown' in choice
        ? choice.claims
        : refreshClaims(session, settings, lifetimes.refresh, choice.parent)

      return {
        ...answer,
        refresh_token: 'shown' in choice ? choice.shown : keyring.signing!.refresh.sign(refresh),
        refresh_expires_in: refresh.exp - iat,
      }
    },
    issueAccess: (session, claims) => access(session, claims).answer,
    verify: (token, kinds) => usable(authentic(token, kinds)),
    verifyEvenExpired (token, kinds) {
      const verified = authentic(token, kinds)
      return verified.kind === 'access' ? alive(verified) : verified
    },
    decode: decodeCompact,
  }
}

function isOneOf<Kind extends TokenKind> (token: VerifiedToken, kinds: Kind[]): token is TokenOf<Kind> {
  return (kinds as TokenKind[]).includes(token.kind)
}

/** So much may the clocks of other machines be ahead. */
const mostSecondsAhead = 60

/**
 * True when the claims are ones that we could have written, whenever (RFC 8725 §3.8-3.10). A life longer than the
 * configured one is refused too: it catches milliseconds taken for seconds.
 */
export function areOurs (
  claims: Pick<SharedClaims, 'iss' | 'aud' | 'iat' | 'exp'> & { auth_time?: number },
  { issuer, audiences }: Parties,
  mostSeconds: number
): boolean {
  const { iss, aud, iat, exp, auth_time: authTime = iat } = claims

  return iss === issuer && [aud].flat().some((party) => audiences.includes(party)) &&
    authTime <= iat + mostSecondsAhead && exp >= iat && exp - iat <= mostSeconds
}

/** True from the time of `nbf` on. */
function hasBegun ({ nbf = 0 }: Pick<SharedClaims, 'nbf'>, leewaySeconds: number): boolean {
  return nbf <= Date.now() / 1000 + leewaySeconds
}

/** True for a token from the future: either our clock is behind, or that of its writer was ahead. */
export function isAhead ({ iat }: Pick<SharedClaims, 'iat'>): boolean {
  return iat > Date.now() / 1000 + mostSecondsAhead
}

/** RFC 7519 §4.1.4: in the second of `exp` the token is over. */
export function isExpired ({ exp }: { exp: number }, leewaySeconds: number, now = Date.now()): boolean {
  return now / 1000 >= exp + leewaySeconds
}
