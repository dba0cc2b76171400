import {
  constants,
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  type KeyObject,
} from 'node:crypto'
import type { AccountsOptions } from '../../lib/index.ts'
import { decode, encode, refreshKey, secret } from '../support/build.ts'

export type Kind = 'access' | 'refresh'

/** The bytes that vouch for the two segments before them. */
export type Sign = (input: string) => Buffer

/** A server's key as the forger knows it from tests: with it the server's own tokens can be written. */
export interface Signer {
  algorithm: string
  /** The `secret` option of a server with this key. */
  option: AccountsOptions['secret']
  sign: Record<Kind, Sign>
  /** The same, with a key of the same type that no server trusts. */
  foreign: Sign
  secrets?: Record<Kind, string | Buffer>
  privateKey?: KeyObject
  foreignKey?: KeyObject
}

/** A real token, taken apart, and how to make others with the key that signed it. */
export interface Genuine {
  kind: Kind
  token: string
  header: Record<string, any>
  payload: Record<string, any>
  signer: Signer
  /** Signs segments as they stand, whatever they are spelled in. */
  seal: (header: string, payload: string, as?: Sign) => string
  /** Signs anything as a token, right or wrong. */
  mint: (header: unknown, payload: unknown, as?: Sign) => string
}

export const hmac =
  (key: string | Buffer, hash = 'sha256'): Sign =>
    (input) =>
      createHmac(hash, key).update(input).digest()
export const pkcs1 = (key: KeyObject, hash = 'sha256'): Sign => (input) => sign(hash, Buffer.from(input), key)
export const pss =
  (key: KeyObject, hash = 'sha256', saltLength: number = constants.RSA_PSS_SALTLEN_DIGEST): Sign =>
    (input) =>
      sign(hash, Buffer.from(input), { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength })
export const ecdsa =
  (key: KeyObject, hash = 'sha256', dsaEncoding: 'ieee-p1363' | 'der' = 'ieee-p1363'): Sign =>
    (input) =>
      sign(hash, Buffer.from(input), { key, dsaEncoding })
export const eddsa = (key: KeyObject): Sign => (input) => sign(null, Buffer.from(input), key)

const newRsaKey = () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const newCurveKey = (name: string) => generateKeyPairSync('ec', { namedCurve: name }).privateKey
const newEdKey = () => generateKeyPairSync('ed25519').privateKey

const rsa = [newRsaKey(), newRsaKey()] as const

function keyPair (
  algorithm: 'RS256' | 'PS256' | 'ES256' | 'EdDSA',
  [own, foreign]: readonly [KeyObject, KeyObject],
  signWith: (key: KeyObject) => Sign
): Signer {
  return {
    algorithm,
    option: { private: own, algorithm },
    sign: { access: signWith(own), refresh: signWith(own) },
    foreign: signWith(foreign),
    privateKey: own,
    foreignKey: foreign,
  }
}

/** What only the forger knows. */
export const foreignSecret = 'a key that only the forger knows'

/** One server for each of the algorithms: HMAC has a key for each kind of token, the others have one for both. */
export const signers: Record<string, Signer> = {
  HS256: {
    algorithm: 'HS256',
    option: secret,
    sign: { access: hmac(secret), refresh: hmac(refreshKey) },
    foreign: hmac(foreignSecret),
    secrets: { access: secret, refresh: refreshKey },
  },
  RS256: keyPair('RS256', rsa, pkcs1),
  PS256: keyPair('PS256', rsa, pss),
  ES256: keyPair('ES256', [newCurveKey('P-256'), newCurveKey('P-256')], ecdsa),
  EdDSA: keyPair('EdDSA', [newEdKey(), newEdKey()], eddsa),
}

export function genuine (kind: Kind, token: string, signer = signers.HS256!): Genuine {
  const own = signer.sign[kind]
  const seal: Genuine['seal'] = (header, payload, as = own) =>
    `${header}.${payload}.${as(`${header}.${payload}`).toString('base64url')}`
  return {
    kind,
    token,
    ...decode(token),
    signer,
    seal,
    mint: (header, payload, as) => seal(encode(header), encode(payload), as),
  }
}

/**
 * The other texts that pass for the same token: unused bits at the end, and for elliptic curves `n - s` in place of
 * `s`.
 */
export function otherSpellings (token: string): string[] {
  const twins = decode(token).header.alg === 'ES256' ? [token, negated(token)] : [token]
  return twins.flatMap((text) => [text, ...otherEndings(text)]).slice(1)
}

const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** RFC 4648 §3.5: the last character of a signature has two or four bits that say nothing. */
function otherEndings (token: string): string[] {
  const unusedBits = token.split('.')[2]!.length % 4 === 3 ? 2 : 4
  const last = digits.indexOf(token.at(-1)!)
  return Array.from({ length: 2 ** unusedBits - 1 }, (_, index) => token.slice(0, -1) + digits[last ^ (index + 1)])
}

/** The order and the prime of P-256, and the order of Ed25519. */
export const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
export const prime = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn
export const edOrder = 2n ** 252n + 27742317777372353535851937790883648493n

export function toNumber (bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex')}`)
}

export function toBytes (number: bigint, length: number): Buffer {
  return Buffer.from(number.toString(16).padStart(2 * length, '0'), 'hex')
}

function negated (token: string): string {
  const [head, body, tail] = token.split('.')
  const bytes = Buffer.from(tail!, 'base64url')
  const s = toBytes(order - toNumber(bytes.subarray(32)), 32)
  return `${head}.${body}.${Buffer.concat([bytes.subarray(0, 32), s]).toString('base64url')}`
}

/** Every way in which a public key is passed around. Whoever takes one for an HMAC secret lets anybody sign. */
export function serialisations (
  privateKey: KeyObject,
  published: Record<string, unknown> = {}
): Record<string, string | Buffer> {
  const key = createPublicKey(privateKey)
  const isRsa = key.asymmetricKeyType === 'rsa'
  const formats = ['spki', ...(isRsa ? (['pkcs1'] as const) : [])] as const
  const texts = formats.map((type) => [type, key.export({ format: 'pem', type: type as 'spki' }) as string] as const)
  const jwk = key.export({ format: 'jwk' }) as Record<string, string>
  const bytes = (...members: string[]) => Buffer.concat(members.map((member) => Buffer.from(jwk[member]!, 'base64url')))
  const point = jwk.y && {
    'x and y': bytes('x', 'y'),
    'the point': Buffer.concat([Buffer.from([4]), bytes('x', 'y')]),
    x: bytes('x'),
  }

  return {
    ...Object.assign({}, ...texts.map(([type, pem]) => spellingsOfPem(type, pem))),
    ...Object.assign(
      {},
      ...formats.map((type) => spellingsOfDer(type, key.export({ format: 'der', type: type as 'spki' })))
    ),
    ...spellingsOfJwk('JWK', jwk),
    ...spellingsOfJwk('published JWK', { ...jwk, kid: published.kid, use: 'sig', alg: published.alg }),
    'the kid': String(published.kid),
    ...(isRsa
      ? { 'raw n': bytes('n'), 'raw n, signed': Buffer.concat([Buffer.alloc(1), bytes('n')]), 'n as text': jwk.n! }
      : {}),
    ...(point ?? (isRsa ? {} : { 'raw x': bytes('x'), 'x as text': jwk.x! })),
  }
}

export function spellingsOfPem (type: string, pem: string): Record<string, string> {
  const lines = pem.trim().split('\n')
  return {
    [`PEM ${type}`]: pem,
    [`PEM ${type}, trimmed`]: pem.trim(),
    [`PEM ${type}, CRLF`]: pem.replaceAll('\n', '\r\n'),
    [`PEM ${type}, CRLF, trimmed`]: lines.join('\r\n'),
    [`PEM ${type}, one line`]: lines.join(''),
    [`PEM ${type}, with spaces`]: lines.join(' '),
    [`PEM ${type}, escaped`]: lines.join('\\n'),
    [`PEM ${type}, two line feeds`]: `${pem}\n`,
    [`PEM ${type}, one long line`]: [lines[0], lines.slice(1, -1).join(''), lines.at(-1)].join('\n'),
    [`PEM ${type}, after a byte order mark`]: `\ufeff${pem}`,
    [`PEM ${type}, after a line feed`]: `\n${pem}`,
    [`PEM ${type}, without its armour`]: lines.slice(1, -1).join('\n'),
  }
}

function spellingsOfDer (type: string, der: Buffer): Record<string, string | Buffer> {
  return {
    [`DER ${type}`]: der,
    [`DER ${type}, base64`]: der.toString('base64'),
    [`DER ${type}, base64url`]: der.toString('base64url'),
    [`DER ${type}, hex`]: der.toString('hex'),
  }
}

function spellingsOfJwk (name: string, jwk: object): Record<string, string> {
  const entries = Object.entries(jwk)
  const orders = {
    [name]: entries,
    [`${name}, in alphabetical order`]: [...entries].sort(([one], [other]) => one < other ? -1 : 1),
    [`${name}, backwards`]: [...entries].reverse(),
  }
  return Object.assign({}, ...Object.entries(orders).map(([what, members]) => {
    const ordered = Object.fromEntries(members)
    return {
      [what]: JSON.stringify(ordered),
      [`${what}, indented`]: JSON.stringify(ordered, null, 2),
      [`${what}, in a set`]: JSON.stringify({ keys: [ordered] }),
      [`${what}, in a set, indented`]: JSON.stringify({ keys: [ordered] }, null, 2),
    }
  }))
}

/** The forger's own key on a curve, for headers that bring or point at it. */
export const embedded = createPrivateKey({
  format: 'jwk',
  key: {
    kty: 'EC',
    crv: 'P-256',
    d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
    x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
    y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
  },
})
