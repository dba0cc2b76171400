import { randomBytes } from 'node:crypto'
import { ask } from '../../host/ask.ts'
import { OptionsInvalid } from '../../http/errors.ts'
import { createArgon2 } from './argon2.ts'
import { costOf, decoyOf, isAffordable, missingPasses } from './cost.ts'
import { options, type PasswordSettings, type PasswordVerifier } from './options.ts'
import { label, seasoned, unlabel, type Pepper } from './pepper.ts'
import type { Queue } from './queue.ts'

export interface Hasher {
  /**
   * A hash to be stored.
   * @throws {Busy}
   */
  hash: (password: string, gone?: AbortSignal) => Promise<string>
  /**
   * Compares, in one place of the line. Whatever is wrong, the password, the hash, its scheme or its pepper, or that
   * there is none, it is the same work, so that time tells nobody whether there is such a user.
   * @throws {Busy}
   */
  verify: (stored: string | undefined, password: string, gone?: AbortSignal) => Promise<Verdict>
  /** True for a hash that somebody's password may have. */
  knows: (stored: string) => Promise<boolean>
}

export interface Verdict {
  matches: boolean
  /** The hash of today, for one that matches and is not. */
  stronger?: string
}

/** What a stored hash is: of our hasher, or else of the verifier. */
interface Reading {
  phc: string
  pepper: Pepper | undefined
  verifier?: PasswordVerifier
}

const usualMemoryCost = options.password.properties.argon2.properties.memoryCost.default as number

/** What the column holds, less the label of a pepper. */
const mostLength = 230

/**
 * Hashes are our hasher's, of a pepper before it, or of another system's, whose verifiers only verify: what they know
 * is made anew at a login.
 * @throws {OptionsInvalid} for a hasher or a verifier that does not work
 */
export async function createHasher (
  { argon2, hasher: own, legacy, peppers }: PasswordSettings['password'], queue: Queue
): Promise<Hasher> {
  const hasher = own ?? await createArgon2(argon2)
  const [pepper] = peppers
  const nobodys = randomBytes(32).toString('base64url')
  // A machine that cannot bear more memory than usual, or a hasher that does not work, would be told by the first
  // login.
  const isTried = own !== undefined || argon2.memoryCost > usualMemoryCost
  const sample = isTried ? await tried('password.hasher', () => make(nobodys)) : undefined
  const today = sample === undefined ? argon2 : costOf(sample)
  for (const [index, verifier] of legacy.entries()) {
    await tried(`password.legacy[${index}]`, async () => {
      if (!verifier.knows(verifier.decoy) || (await verifier.verify(verifier.decoy, nobodys))) {
        throw new Error('its decoy must be a hash that it knows and that nobody has')
      }
    })
  }

  async function make (password: string): Promise<string> {
    const phc: unknown = await hasher.hash(season(password, pepper))
    if (typeof phc !== 'string' || !schemeOf(phc) || phc.length > mostLength) {
      throw new Error(`it must make PHC strings of ${mostLength} characters at most`)
    }
    return phc
  }

  function read (stored: string): Reading | undefined {
    const own = peppers.length > 0 ? unlabel(stored, peppers) : { phc: stored, pepper }
    if (own && isOurs(own.phc)) return own
    const verifier = legacy.find((verifier) => verifier.knows(stored))
    return verifier && { phc: stored, pepper: undefined, verifier }
  }

  /** Of a scheme, and a cost, that our hasher is asked about. */
  function isOurs (phc: string): boolean {
    const cost = costOf(phc)
    return today ? cost !== undefined && isAffordable(cost, today) : schemeOf(phc) === schemeOf(sample!)
  }

  async function matches (reading: Reading | undefined, password: string): Promise<boolean> {
    const own = reading?.verifier ? undefined : reading
    const text = season(password, own ? own.pepper : pepper)
    if (own && (await hasher.verify(own.phc, text)) === true) return true
    const rest = restOf(own?.phc)
    if (rest) await hasher.verify(rest, text)

    for (const verifier of legacy) {
      const isTheirs = verifier === reading?.verifier
      // As it was typed: what the other system made of it is the verifier's to know.
      const isRight = await verifier.verify(isTheirs ? reading.phc : verifier.decoy, password)
      // HMAC and bcrypt take a NUL at the end for none: what is stored from now on would be another password.
      if (isTheirs && isRight === true && !password.includes('\0')) return true
    }
    return false
  }

  /** What is left to verify after a hash of ours, or after none, so that it costs in all what today's costs. */
  function restOf (phc: string | undefined): string | undefined {
    if (!today) return phc === undefined ? sample : undefined
    const missing = missingPasses(phc === undefined ? undefined : costOf(phc), today)
    return missing > 0 ? decoyOf({ ...today, timeCost: missing }) : undefined
  }

  function isOfToday ({ phc, pepper: used, verifier }: Reading): boolean {
    return !verifier && used === pepper && !hasher.needsRehash(phc)
  }

  return {
    hash: (password, gone) => queue.run(() => ask(async () => label(await make(password), pepper)), gone),

    verify: (stored = '', password, gone) =>
      queue.run(
        () =>
          ask(async () => {
            const reading = read(stored)
            if (!(await matches(reading, password)) || !reading) return { matches: false }
            return { matches: true, ...(isOfToday(reading) ? {} : { stronger: label(await make(password), pepper) }) }
          }),
        gone
      ),

    knows: (stored) => ask(() => read(stored) !== undefined),
  }
}

/**
 * Before anybody is let in: a package that is missing, or functions in the wrong places, keep the app from starting.
 */
async function tried<Result> (name: string, attempt: () => Promise<Result>): Promise<Result> {
  try {
    return await attempt()
  } catch (cause) {
    throw new OptionsInvalid(`${name} does not work: ${cause}`, { cause })
  }
}

/** The name at the start of a PHC string. */
function schemeOf (phc: string): string | undefined {
  return /^\$([a-z0-9-]{1,32})\$/.exec(phc)?.[1]
}

/**
 * What is hashed: one spelling for every way to type the same characters (NIST SP 800-63B-4 §3.1.1.2), with a pepper
 * where there is one. Nothing else is changed.
 */
function season (password: string, pepper: Pepper | undefined): string {
  const typed = password.normalize('NFKC')
  return pepper ? seasoned(typed, pepper) : typed
}
