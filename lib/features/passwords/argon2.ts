import { hash, verify } from 'argon2'
import { costOf, inOrder, type Cost } from './cost.ts'
import type { PasswordHasher } from './options.ts'

/** The hasher of apps that have none of their own. */
export function createArgon2 (cost: Cost): PasswordHasher {
  return {
    hash: async (password) => inOrder(await hash(password, cost)),
    verify,

    needsRehash (phc) {
      const stored = costOf(phc)!
      return stored.memoryCost < cost.memoryCost || stored.timeCost < cost.timeCost
    },
  }
}
