import { isUtf8 } from 'node:buffer'
import type { JWT } from '@fastify/jwt'
import { TokenInvalid } from './errors.ts'

/** The JOSE header of a token of ours. */
export interface TokenHeader {
  alg: string
  typ: string
  kid: string
}

/** A token whose signature is right. Its claims may be any JSON. */
export interface Signed {
  header: TokenHeader
  claims: unknown
}

/** RFC 7515 §7.1, compact serialization, with limits of length, so that a hostile text costs nothing. */
export const compact = /^(?<header>[\w-]{1,1024})\.(?<payload>[\w-]{1,8192})\.[\w-]{1,1400}$/

/**
 * Checks a token's structure, its key and its signature, in this order. `keyFor` gives the key that a header names, and
 * nothing for a kind of token that is not wanted.
 * @throws {TokenInvalid}
 */
export function openSigned (token: string, keyFor: (typ: unknown, kid: unknown) => JWT | undefined): Signed {
  const { header, payload } = segmentsOf(token)
  const { typ, kid, ...more } = parse(header)
  const key = keyFor(typ, kid)
  // No extension is understood, so a token that insists on one is refused (RFC 7515 §4.1.11, RFC 7797 §6).
  if (!key || 'crit' in more || 'b64' in more) throw new TokenInvalid()
  requireUtf8(payload)
  return verifySignature(key, token)
}

function verifySignature (key: JWT, token: string): Signed {
  try {
    const { header, payload } = key.verify<{ header: TokenHeader, payload: unknown }>(token)
    return { header, claims: payload }
  } catch {
    // The library's error depends on the token, and many of them would be a 500.
    throw new TokenInvalid()
  }
}

/**
 * Reads a token and checks nothing.
 * @throws {TokenInvalid} when it cannot be read
 */
export function decodeCompact (token: string): { header: Record<string, unknown>, claims: Record<string, unknown> } {
  const { header, payload } = segmentsOf(token)
  return { header: parse(header), claims: parse(payload) }
}

function segmentsOf (token: string): { header: string, payload: string } {
  const { header, payload } = compact.exec(token)?.groups ?? refuse()
  return { header: header!, payload: payload! }
}

/** The JSON of a segment, unverified. A header only chooses the key, and is compared with fixed values. */
function parse (segment: string): Record<string, unknown> {
  const bytes = requireUtf8(segment)
  try {
    return { ...JSON.parse(bytes.toString()) }
  } catch {
    return refuse()
  }
}

/** RFC 7519 §7.2: header and payload are UTF-8. The library would replace bytes that are not. */
function requireUtf8 (segment: string): Buffer {
  const bytes = Buffer.from(segment, 'base64url')
  return isUtf8(bytes) ? bytes : refuse()
}

function refuse (): never {
  throw new TokenInvalid()
}
