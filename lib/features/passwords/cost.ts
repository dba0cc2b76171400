import { randomBytes } from 'node:crypto'

/** What a hash of argon2id costs. */
export interface Cost {
  memoryCost: number
  timeCost: number
  parallelism: number
}

const phcForm = /^\$argon2id\$v=19\$m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,3})\$[A-Za-z0-9+/]{11,}\$[A-Za-z0-9+/]{16,}$/

/**
 * Hashes dearer than today's are verified up to this factor and this memory: a row that asks for terabytes must not get
 * them.
 */
const mostTimesToday = 64
const mostMemory = 1024 * 1024

/** Each lane is a thread. */
const mostLanes = 64

/** The cost in a PHC string, or nothing when argon2id could not have made it. */
export function costOf (phc: string): Cost | undefined {
  const [memoryCost = 0, timeCost = 0, parallelism = 0] = phcForm.exec(inOrder(phc))?.slice(1).map(Number) ?? []
  const isPossible = timeCost > 0 && parallelism > 0 && memoryCost >= 8 * parallelism
  return isPossible ? { memoryCost, timeCost, parallelism } : undefined
}

/** `argon2` writes m,p,t; the reference implementation and the rest of the world read m,t,p. */
export function inOrder (phc: string): string {
  return phc.replace(/\$m=(\d+),p=(\d+),t=(\d+)\$/, '$$m=$1,t=$3,p=$2$$')
}

/** True for a hash that this process can afford to verify. */
export function isAffordable (stored: Cost, today: Cost): boolean {
  const { memoryCost, timeCost, parallelism } = stored
  if (parallelism > Math.max(mostLanes, today.parallelism)) return false
  return (
    memoryCost * timeCost <= mostTimesToday * today.memoryCost * today.timeCost &&
    memoryCost <= Math.max(mostMemory, today.memoryCost)
  )
}

/** Says whether a hash, of argon2id, is cheaper than this. */
export function isWeakerThan ({ memoryCost, timeCost }: Cost): (phc: string) => boolean {
  return (phc) => {
    const stored = costOf(phc)!
    return stored.memoryCost < memoryCost || stored.timeCost < timeCost
  }
}

/** A hash of no password at all, as dear to check as a real one. */
export function decoyOf ({ memoryCost, timeCost, parallelism }: Cost): string {
  const [salt, digest] = [16, 32].map((bytes) => randomBytes(bytes).toString('base64').replaceAll('=', ''))
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${salt}$${digest}`
}

/** The passes, at today's memory, by which a hash is cheaper than today's; without a hash all of them. */
export function missingPasses (
  stored: Cost = { memoryCost: 0, timeCost: 0, parallelism: 0 },
  { memoryCost, timeCost }: Cost
): number {
  return Math.round(timeCost - (stored.memoryCost * stored.timeCost) / memoryCost)
}
