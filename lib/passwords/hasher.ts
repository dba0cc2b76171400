import { randomBytes } from 'node:crypto'
import { hash, verify } from 'argon2'
import type { Settings } from '../settings.ts'

export interface Hasher {
  /** An argon2id hash as a PHC string, its parameters in the order that every library reads. */
  hash: (password: string) => Promise<string>
  /**
   * Compares. Without a hash, with one that is not argon2id's, or with a cheaper one that does not match, it works as
   * long as for a hash of today's, so that time tells nobody whether there is such a user.
   */
  verify: (phc: string | undefined, password: string) => Promise<boolean>
  /** True when the hash was made at a lower cost than today's. */
  needsRehash: (phc: string) => boolean
}

interface Cost {
  memoryCost: number
  timeCost: number
  parallelism: number
}

const phcForm = /^\$argon2id\$v=19\$m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,3})\$[A-Za-z0-9+/]{11,}\$[A-Za-z0-9+/]{16,}$/

export function createHasher ({ argon2: cost }: Settings['password']): Hasher {
  return {
    hash: async (password) => inOrder(await hash(prepare(password), cost)),

    async verify (phc = '', password) {
      const stored = costOf(phc)
      const matches = stored !== undefined && await verify(phc, prepare(password))

      const missing = matches ? 0 : missingPasses(stored, cost)
      if (missing > 0) await verify(decoyOf({ ...cost, timeCost: missing }), prepare(password))
      return matches
    },

    needsRehash (phc) {
      const stored = costOf(phc)!
      return stored.memoryCost < cost.memoryCost || stored.timeCost < cost.timeCost
    },
  }
}

/** A hash of no password at all, as dear to check as a real one. */
function decoyOf ({ memoryCost, timeCost, parallelism }: Cost): string {
  const [salt, digest] = [16, 32].map((bytes) => randomBytes(bytes).toString('base64').replaceAll('=', ''))
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${salt}$${digest}`
}

/** The passes, at today's memory, by which a hash is cheaper than today's; without a hash all of them. */
function missingPasses (stored: Cost = { memoryCost: 0, timeCost: 0, parallelism: 0 }, { memoryCost, timeCost }: Cost): number {
  return Math.round(timeCost - stored.memoryCost * stored.timeCost / memoryCost)
}

/** The cost in a PHC string, or nothing when argon2id could not have made it. */
function costOf (phc: string): Cost | undefined {
  const [memoryCost = 0, timeCost = 0, parallelism = 0] = phcForm.exec(inOrder(phc))?.slice(1).map(Number) ?? []
  const isPossible = timeCost > 0 && timeCost < 2 ** 32 && parallelism > 0 && memoryCost >= 8 * parallelism && memoryCost < 2 ** 32
  return isPossible ? { memoryCost, timeCost, parallelism } : undefined
}

/** `argon2` writes m,p,t; the reference implementation and the rest of the world read m,t,p. */
function inOrder (phc: string): string {
  return phc.replace(/\$m=(\d+),p=(\d+),t=(\d+)\$/, '$$m=$1,t=$3,p=$2$$')
}

/** One spelling for every way to type the same characters (NIST SP 800-63B-4 §3.1.1.2). Nothing else is changed. */
function prepare (password: string): string {
  return password.normalize('NFKC')
}
