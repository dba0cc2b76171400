import type { KeyObject } from 'node:crypto'

/** The algorithms that tokens are signed with. Each key goes with exactly one of them (RFC 8725 §3.1). */
export type Algorithm = typeof algorithms[number]

/**
 * A key as PEM text, whose lines may end in `\n` as two characters, as a `KeyObject` of node:crypto, or as a JWK (RFC
 * 7517).
 */
export type KeyMaterial = string | Buffer | KeyObject | Jwk

/** A JWK. Our own type: the one of node:crypto has moved between versions of its types. */
export interface Jwk {
  kty?: string
  [member: string]: unknown
}

/** An asymmetric key: the private part signs, the public part alone only verifies. */
export interface KeyPair {
  private?: KeyMaterial
  /** Follows from the private part, where there is one. */
  public?: KeyMaterial
  /** The key's name in the header of tokens. Default the JWK's own, then its thumbprint (RFC 7638). */
  kid?: string
  /** Default what the key says: for RSA `'RS256'`, unless it is a JWK with an `alg`. */
  algorithm?: Algorithm
}

/** A key, checked: `kid` and algorithm are what the header of its tokens says. */
export interface Key {
  kid: string
  /** Tells this key from others, whatever their names and algorithms. */
  thumbprint: string
  algorithm: Algorithm
  signs: boolean
  /** The key as @fastify/jwt takes it, for each kind of token. */
  material: Record<'access' | 'refresh' | 'ticket', Buffer | PemPair>
  /** The secret that keys for other purposes are derived from. Undefined for a public key alone. */
  seed: Buffer | undefined
  /** The public part for others, members of RFC 7517 §4 and RFC 7518 §6. An HMAC secret has none. */
  jwk: PublicJwk | undefined
}

export interface PublicJwk {
  kty: string
  kid: string
  use: 'sig'
  alg: Algorithm
  n?: string
  e?: string
  crv?: string
  x?: string
  y?: string
}

export interface PemPair {
  private?: string
  public: string
}

/** True where tokens can be issued. The first key signs them: with a public one first, tokens are only verified. */
export function canSign (keys: Pick<Key, 'signs'>[]): boolean {
  return keys[0]!.signs
}

export const algorithms = ['HS256', 'RS256', 'PS256', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const

/** The HMAC secrets among keys. A private key has a seed too, which is gone when it is retired to its public part. */
export function hmacSecretsAmong (keys: Pick<Key, 'algorithm' | 'seed'>[]): Buffer[] {
  return keys.flatMap(({ algorithm, seed }) => algorithm === 'HS256' && seed ? seed : [])
}
