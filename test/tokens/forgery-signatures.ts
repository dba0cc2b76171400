import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import {
  ecdsa,
  edOrder,
  hmac,
  order,
  pkcs1,
  prime,
  pss,
  serialisations,
  toBytes,
  toNumber,
  type Genuine,
  type Kind,
  type Sign,
  type Signer,
} from './signer.ts'

/** Forgeries of one kind, made from the two tokens of a session, by what is wrong with them. */
export type Family = (real: Genuine, other: Genuine, url: string) => Record<string, string>

const hashes = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' }

/** RFC 8725 §2.1: what everybody may read is no secret, in whatever form. */
export function keyConfusion ({ header, payload, mint, signer: { privateKey } }: Genuine): Record<string, string> {
  if (!privateKey) return {}

  return Object.assign(
    {},
    ...Object.entries(serialisations(privateKey, header)).map(([what, key]) => ({
      ...Object.fromEntries(
        Object.entries(hashes).map(([alg, hash]) => [
          `${what}, ${alg}`,
          mint({ ...header, alg }, payload, hmac(key, hash)),
        ])
      ),
      [`${what}, the label kept`]: mint(header, payload, hmac(key)),
    }))
  )
}

/** The right name over another key of the same type. */
export function otherKeys ({ header, payload, mint, signer: { foreign } }: Genuine): Record<string, string> {
  return {
    'another of the type, the right kid': mint(header, payload, foreign),
    'another of the type, its own kid': mint({ ...header, kid: 'theirs' }, payload, foreign),
    'another of the type, no kid': mint({ ...header, kid: undefined }, payload, foreign),
  }
}

/** One key, one algorithm (RFC 8725 §3.1): what else the same key can do counts for nothing. */
export function swaps ({ kind, header, payload, mint, signer }: Genuine): Record<string, string> {
  const others = Object.entries(abilitiesOf(signer, kind)).filter(([alg]) => alg !== header.alg)
  const own = signer.sign[kind]

  return {
    ...Object.assign({}, ...others.map(([alg, sign]) => ({
      [`${alg}, really`]: mint({ ...header, alg }, payload, sign),
      [`${header.alg} by name, ${alg} in truth`]: mint(header, payload, sign),
      [`${alg} by name, ${header.alg} in truth`]: mint({ ...header, alg }, payload, own),
    }))),
    'of an empty text': mint(header, payload, () => own('')),
    'of the text in UTF-16': mint(header, payload, (input) => own(Buffer.from(input, 'utf16le').toString('latin1'))),
    'of the text with a line feed': mint(header, payload, (input) => own(`${input}\n`)),
    'of the text with a last dot': mint(header, payload, (input) => own(`${input}.`)),
    'of its hash': mint(header, payload, (input) => own(createHash('sha256').update(input).digest('hex'))),
  }
}

/** All that a key could sign with, by the name that a header would give it. */
function abilitiesOf ({ secrets, privateKey: key }: Signer, kind: Kind): Record<string, Sign> {
  switch (key?.asymmetricKeyType) {
    case 'rsa':
      return {
        RS1: pkcs1(key, 'sha1'),
        RS256: pkcs1(key),
        RS384: pkcs1(key, 'sha384'),
        RS512: pkcs1(key, 'sha512'),
        PS256: pss(key),
        PS384: pss(key, 'sha384'),
        PS512: pss(key, 'sha512'),
      }
    case 'ec':
      return { ES1: ecdsa(key, 'sha1'), ES384: ecdsa(key, 'sha384'), ES512: ecdsa(key, 'sha512') }
    case 'ed25519':
      return {}
    default:
      return {
        HS1: hmac(secrets![kind], 'sha1'),
        HS384: hmac(secrets![kind], 'sha384'),
        HS512: hmac(secrets![kind], 'sha512'),
      }
  }
}

/** Signatures that a careless check lets pass, whatever they are for. */
export function specialSignatures (
  { token, header, payload, mint, kind, signer: { privateKey, sign } }: Genuine,
  other: Genuine
): Record<string, string> {
  const real = signatureOf(token)
  const { length } = real
  const zeros = (count: number) => Buffer.alloc(count)
  const special: Record<string, Buffer> = {
    none: zeros(0),
    'zero bytes': zeros(length),
    'one zero byte': zeros(1),
    'ones alone': Buffer.alloc(length, 0xff),
    'zero bytes, one short': zeros(length - 1),
    'zero bytes, one more': zeros(length + 1),
    'short of its first byte': real.subarray(1),
    'short of its last byte': real.subarray(0, -1),
    'half of it': real.subarray(0, length / 2),
    'the other half of it': real.subarray(length / 2),
    'a zero byte before it': Buffer.concat([zeros(1), real]),
    'a zero byte after it': Buffer.concat([real, zeros(1)]),
    'twice in a row': Buffer.concat([real, real]),
    backwards: Buffer.from(real).reverse(),
    inverted: Buffer.from(real.map((byte) => byte ^ 0xff)),
    'of the other token': signatureOf(other.token),
    'of another text': sign[kind]('another text'),
    'as text': Buffer.from(real.toString('base64url')),
    'in hex': Buffer.from(real.toString('hex')),
    ...ofType(privateKey, real),
  }
  return Object.fromEntries(
    Object.entries(special).map(([what, signature]) => [what, mint(header, payload, () => signature)])
  )
}

function signatureOf (token: string): Buffer {
  return Buffer.from(token.split('.')[2]!, 'base64url')
}

function ofType (key: KeyObject | undefined, real: Buffer): Record<string, Buffer> {
  switch (key?.asymmetricKeyType) {
    case 'rsa': return ofRsa(key, real)
    case 'ec': return ofCurve(real)
    case 'ed25519': return ofEdwards(real)
    default: return {}
  }
}

/** RFC 8017 §8: numbers that are their own signature, or that equal the right one modulo n. */
function ofRsa (key: KeyObject, real: Buffer): Record<string, Buffer> {
  const n = toNumber(Buffer.from(createPublicKey(key).export({ format: 'jwk' }).n as string, 'base64url'))
  const s = toNumber(real)
  const numbers = { one: 1n, two: 2n, n, 'n - 1': n - 1n, 'n + 1': n + 1n, 'n - s': n - s }
  return {
    ...mapValues(numbers, (number) => toBytes(number, real.length)),
    's + n': toBytes(s + n, real.length + 1),
    's + n, a byte longer': toBytes(s + n, real.length + 2),
  }
}

/** CVE-2022-21449 and its kin: r and s are from 1 to n - 1, in two times 32 bytes, and not in DER (RFC 7518 §3.4). */
function ofCurve (real: Buffer): Record<string, Buffer> {
  const [r, s] = [real.subarray(0, 32), real.subarray(32)]
  const edges = {
    0: 0n,
    1: 1n,
    'n - 1': order - 1n,
    n: order,
    'n + 1': order + 1n,
    p: prime,
    'p - 1': prime - 1n,
    'p + 1': prime + 1n,
  }
  const numbers = { ...mapValues(edges, (number) => toBytes(number, 32)), r, s }
  const pairs = Object.entries(numbers).flatMap(([first, one]) => Object.entries(numbers).map(([second, two]) =>
    [`r = ${first}, s = ${second}`, Buffer.concat([one, two])] as const))
  const integer = (bytes: Buffer) =>
    Buffer.concat([Buffer.from([2, bytes[0]! > 0x7f ? 33 : 32]), ...(bytes[0]! > 0x7f ? [Buffer.alloc(1)] : []), bytes])
  const der = (...parts: Buffer[]) => {
    const body = Buffer.concat(parts.map(integer))
    return Buffer.concat([Buffer.from([0x30, body.length]), body])
  }

  return {
    ...Object.fromEntries(pairs.filter(([what]) => what !== 'r = r, s = s')),
    'in DER': der(r, s),
    'in DER, both zero': Buffer.from('3006020100020100', 'hex'),
    'in DER, filled up': Buffer.concat([der(r, s), Buffer.alloc(8)]),
    'in 48 bytes each': Buffer.concat([Buffer.alloc(16), r, Buffer.alloc(16), s]),
    'in 33 bytes each': Buffer.concat([Buffer.alloc(1), r, Buffer.alloc(1), s]),
    'n - r': Buffer.concat([toBytes(order - toNumber(r), 32), s]),
    'n - r and n - s': Buffer.concat([toBytes(order - toNumber(r), 32), toBytes(order - toNumber(s), 32)]),
  }
}

/** RFC 8032 §5.1.7: S is below the order, and a point of small order proves nothing. */
function ofEdwards (real: Buffer): Record<string, Buffer> {
  const [r, s] = [real.subarray(0, 32), real.subarray(32)]
  const little = (number: bigint) => toBytes(number, 32).reverse()
  const value = toNumber(Buffer.from(s).reverse())
  const points = {
    identity: little(1n),
    'identity, not canonical': little(2n ** 255n - 18n),
    'order two': little(2n ** 255n - 20n),
    'order four': Buffer.alloc(32),
    'order eight': Buffer.from('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05', 'hex'),
  }
  const scalars = {
    0: 0n,
    1: 1n,
    L: edOrder,
    'L - 1': edOrder - 1n,
    'S + L': value + edOrder,
    'S + 2 L': value + 2n * edOrder,
    'S + 8 L': (value + 8n * edOrder) % 2n ** 256n,
    'L - S': edOrder - value,
  }
  return {
    ...Object.assign(
      {},
      ...Object.entries({ R: r, ...points }).map(([point, bytes]) =>
        mapKeys(
          mapValues(scalars, (scalar) => Buffer.concat([bytes, little(scalar)])),
          (scalar) => `R = ${point}, S = ${scalar}`
        )
      )
    ),
    ...mapKeys(
      mapValues(points, (bytes) => Buffer.concat([bytes, s])),
      (point) => `R = ${point}`
    ),
    'S before R': Buffer.concat([s, r]),
    'with the sign of R': Buffer.concat([r.with(31, r[31]! ^ 0x80), s]),
    'with the highest bit of S': Buffer.concat([r, s.with(31, s[31]! ^ 0x80)]),
  }
}

function mapValues<Value, Result> (
  object: Record<string, Value>,
  change: (value: Value) => Result
): Record<string, Result> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value)]))
}

function mapKeys<Value> (object: Record<string, Value>, change: (name: string) => string): Record<string, Value> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [change(name), value]))
}
