import { createHash, createPrivateKey, createPublicKey, KeyObject, sign, verify } from 'node:crypto'
import { isPlainObject } from '../checks/plain-object.ts'
import { algorithms, type Algorithm, type Jwk, type Key, type KeyPair } from './key.ts'
import { isConsistent, rsaWeakness } from './rsa.ts'

const algorithmsOf: Record<string, readonly Algorithm[]> = {
  rsa: ['RS256', 'PS256'], prime256v1: ['ES256'], secp384r1: ['ES384'], secp521r1: ['ES512'], ed25519: ['EdDSA'],
}

/** The members of a public JWK that its thumbprint is made of, in order (RFC 7638 §3.2, RFC 8037 §2). */
const publicMembers = { RSA: ['e', 'kty', 'n'], EC: ['crv', 'kty', 'x', 'y'], OKP: ['crv', 'kty', 'x'] }

/** An asymmetric key, or the end of a sentence that says what it must be and is not. */
export function readKeyPair (given: KeyPair, fallback: Algorithm | undefined): Key | string {
  const [secretPart, publicPart] = [open(given.private, 'private'), open(given.public, 'public')]
  if (typeof secretPart === 'string') return secretPart
  if (typeof publicPart === 'string') return publicPart
  const publicKey = secretPart ? createPublicKey(secretPart) : publicPart
  if (!publicKey) return 'must have a private or a public part'
  if (publicPart && !publicKey.equals(publicPart)) return 'must have a public part that belongs to its private one'
  if (!belongTogether(given.private, secretPart, publicKey)) {
    return 'must have a private part whose members belong together'
  }

  const jwks = [['sign', given.private], ['verify', given.public]]
    .filter((part): part is [string, Jwk] => isJwk(part[1]))
  const wanted = given.algorithm ?? jwks.map(([, { alg }]) => alg).find((alg) => alg !== undefined) ?? fallback
  const algorithm = algorithmFor(publicKey, wanted)
  const kid: unknown = given.kid ?? jwks.map(([, jwk]) => jwk.kid).find((kid) => kid !== undefined)
  const problem = weaknessOf(publicKey) ??
    (algorithm ? undefined : `cannot be used for ${knownName(wanted) ?? 'what its algorithm says'}`) ??
    jwks.map(([operation, jwk]) => purposeProblem(jwk, operation, algorithm!)).find(Boolean) ??
    (kid === undefined || isKeyId(kid) ? undefined : 'must have a kid of 1 to 128 letters, digits and . ~ : _ -')
  return problem ?? pairOf(secretPart, publicKey, algorithm!, kid as string | undefined)
}

function knownName (algorithm: unknown): Algorithm | undefined {
  return algorithms.find((name) => name === algorithm)
}

/** Libraries do not check whether the public members of a private JWK are those of its private ones. */
function belongTogether (material: unknown, secretPart: KeyObject | undefined, publicKey: KeyObject): boolean {
  if (!secretPart || !isJwk(material)) return true

  const jwk = publicKey.export({ format: 'jwk' })
  if (jwk.kty === 'RSA') return isConsistent(secretPart.export({ format: 'jwk' }))
  const probe = Buffer.alloc(32)
  return membersOf(jwk).every(([name, value]) => material[name] === value) &&
    verify(null, probe, publicKey, sign(null, probe, secretPart))
}

function membersOf (jwk: Jwk): [name: string, value: unknown][] {
  return publicMembers[jwk.kty as keyof typeof publicMembers].map((name) => [name, jwk[name]])
}

function pairOf (
  secretPart: KeyObject | undefined, publicPart: KeyObject, algorithm: Algorithm, kid: string | undefined
): Key {
  const jwk = publicPart.export({ format: 'jwk' })
  const members = membersOf(jwk)
  const thumbprint = createHash('sha256').update(JSON.stringify(Object.fromEntries(members))).digest('base64url')
  const pem = {
    public: publicPart.export({ format: 'pem', type: 'spki' }) as string,
    ...secretPart && { private: secretPart.export({ format: 'pem', type: 'pkcs8' }) as string },
  }
  const name = kid ?? thumbprint

  return {
    kid: name,
    thumbprint,
    algorithm,
    signs: secretPart !== undefined,
    material: { access: pem, refresh: pem, ticket: pem },
    seed: secretPart && Buffer.from(secretPart.export({ format: 'jwk' }).d!, 'base64url'),
    jwk: { ...Object.fromEntries(members), kty: jwk.kty!, kid: name, use: 'sig', alg: algorithm },
  }
}

function open (material: unknown, part: 'private' | 'public'): KeyObject | string | undefined {
  if (material === undefined) return
  try {
    const key = material instanceof KeyObject ? material : parse(material)
    return key.type === part ? key : `must have a ${part} key as its ${part} part`
  } catch {
    // What the library says may quote the key.
    return `must have a ${part} part that is a PEM, a KeyObject or a JWK`
  }
}

/** For node:crypto a private key is a public one too, so what is given as public must not be parsed as one unseen. */
function parse (material: unknown): KeyObject {
  const input = isJwk(material) ? { key: material, format: 'jwk' as const } : linesOf(material)
  const isPrivate = typeof input === 'string' ? /PRIVATE KEY/.test(input) : input.key.d !== undefined
  return isPrivate ? createPrivateKey(input) : createPublicKey(input)
}

/**
 * A PEM has lines; a variable of the environment often has room for one, with the two characters `\n` at the end of
 * each.
 */
function linesOf (pem: unknown): string {
  if (typeof pem !== 'string' && !Buffer.isBuffer(pem)) throw new TypeError('A PEM is a text')
  return String(pem).replaceAll(/(\\r)?\\n/g, '\n')
}

function algorithmFor (key: KeyObject, wanted: unknown): Algorithm | undefined {
  const possible = algorithmsOf[typeOf(key)]
  return wanted === undefined ? possible?.[0] : possible?.find((algorithm) => algorithm === canonical(wanted))
}

function weaknessOf (key: KeyObject): string | undefined {
  const type = typeOf(key)
  if (!Object.hasOwn(algorithmsOf, type)) return `must be an RSA, P-256, P-384, P-521 or Ed25519 key, and not ${type}`
  return type === 'rsa' ? rsaWeakness(key) : undefined
}

function typeOf ({ asymmetricKeyDetails: details, asymmetricKeyType: type }: KeyObject): string {
  return details!.namedCurve ?? type!
}

/** RFC 9864 gives EdDSA over Ed25519 a name of its own; in tokens we write the older one. */
function canonical (algorithm: unknown): unknown {
  return algorithm === 'Ed25519' ? 'EdDSA' : algorithm
}

/** RFC 7517 §4.2-4.4: what a JWK says it is for, it is for. */
function purposeProblem (
  { use, alg, key_ops: operations }: Jwk, operation: string, algorithm: Algorithm
): string | undefined {
  if (use !== undefined && use !== 'sig') return 'must be a JWK whose use is sig'
  if (alg !== undefined && canonical(alg) !== algorithm) return `must be a JWK whose alg is ${algorithm}`
  const isForOperation = operations === undefined || (Array.isArray(operations) && operations.includes(operation))
  if (!isForOperation) return `must be a JWK whose key_ops hold ${operation}`
}

function isKeyId (kid: unknown): boolean {
  return typeof kid === 'string' && /^[\w.~:-]{1,128}$/.test(kid)
}

function isJwk (value: unknown): value is Jwk {
  return isPlainObject(value)
}
