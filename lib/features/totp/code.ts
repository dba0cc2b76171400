import { readCode } from '../../one-time/secrets.ts'
import { isEqual } from '../../secrets/equal.ts'
import { stepAt, stepMs } from './step.ts'
import { optionalPackage } from '../optional-package.ts'

/** What authenticator apps take for granted (RFC 6238): SHA-1, 6 digits, a step of 30 s. */
const usual = { algorithm: 'SHA1', digits: 6 }

/** Codes that a seed gives. */
export interface Codes {
  codeAt: (seed: Uint8Array, step: number) => string
  /** The seed as people can type it into an app: base32. */
  secretOf: (seed: Uint8Array) => string
  /** What apps read from a picture, with the names that they show. */
  uriOf: (seed: Uint8Array, issuer: string, label: string) => string
}

/**
 * Loads the package that makes codes.
 * @throws {OptionsInvalid} where it is not installed
 */
export async function loadCodes (): Promise<Codes> {
  const { HOTP, TOTP, Secret } = await load()
  const secretOf = (seed: Uint8Array) => new Secret({ buffer: new Uint8Array(seed).buffer })
  return {
    codeAt: (seed, step) => HOTP.generate({ ...usual, secret: secretOf(seed), counter: step }),
    secretOf: (seed) => secretOf(seed).base32,
    uriOf: (seed, issuer, label) =>
      new TOTP({ ...usual, period: stepMs / 1000, secret: secretOf(seed), issuer, label }).toString(),
  }
}

async function load () {
  return import('otpauth').catch(optionalPackage('otpauth', 'factors').refuse)
}

/**
 * The step whose code was typed, with blanks, hyphens and digits of any width: this one, the one before or the one
 * after, and later than `after`. Undefined for none. It takes the same time whichever it is.
 */
export function stepOf (
  { codeAt }: Pick<Codes, 'codeAt'>, seed: Uint8Array, typed: string, { now, after }: { now: number, after: number }
): number | undefined {
  const code = readCode(typed)
  const step = stepAt(now)
  const right = [step - 1, step, step + 1].filter((near) => isEqual(code, codeAt(seed, near)))
  return right.find((near) => near > after)
}
