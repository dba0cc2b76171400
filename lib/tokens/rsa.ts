import type { KeyObject } from 'node:crypto'
import type { Jwk } from './key.ts'

const fewestBits = 2048
/** Longer keys are slow and hardly safer; a signature of this size still fits in the tokens that we read. */
const mostBits = 8192
const leastExponent = 65537n

/** Says what an RSA key must be and is not (RFC 7518 §3.3, RFC 8725 §3.5). Undefined for a good one. */
export function rsaWeakness (key: KeyObject): string | undefined {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails!
  if (modulusLength < fewestBits || modulusLength > mostBits) {
    return `must be an RSA key of ${fewestBits} to ${mostBits} bits`
  }
  if (publicExponent < leastExponent || publicExponent % 2n === 0n) {
    return `must be an RSA key with an odd public exponent of ${leastExponent} or more`
  }

  const modulus = numberOf(key.export({ format: 'jwk' }).n)
  if (isRoca(modulus)) return 'must not be an RSA key of the broken generator that CVE-2017-15361 is about'
}

/**
 * True when the numbers of a private key belong together: libraries sign with some of them, and do not check the
 * others.
 */
export function isConsistent (jwk: Jwk): boolean {
  const [n, e, d, p, q] = [jwk.n, jwk.e, jwk.d, jwk.p, jwk.q].map(numberOf) as [bigint, bigint, bigint, bigint, bigint]
  return n === p * q && [p, q].every((prime) => prime > 1n && e * d % (prime - 1n) === 1n)
}

function numberOf (text: unknown): bigint {
  return BigInt(`0x${Buffer.from(String(text), 'base64url').toString('hex')}`)
}

/**
 * The fingerprint of Infineon's RSA library (CVE-2017-15361): modulo every small prime, its moduli are powers of 65537.
 * Of other keys, one in 10^8 or fewer looks like that.
 */
function isRoca (modulus: bigint): boolean {
  return smallPrimes.every((prime) => {
    const residue = Number(modulus % BigInt(prime))
    let power = 1
    do {
      if (power === residue) return true
      power = power * 65537 % prime
    } while (power !== 1)
    return false
  })
}

const smallPrimes = [
  3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113,
  127, 131, 137, 139, 149, 151, 157, 163, 167,
]
