import { hash, verify } from 'argon2'
import { inOrder, isWeakerThan, type Cost } from './cost.ts'
import type { PasswordHasher } from './options.ts'

/** The hasher of apps that have none of their own. */
export function createArgon2 (cost: Cost): PasswordHasher {
  return {
    hash: async (password) => inOrder(await hash(password, cost)),
    verify,
    needsRehash: isWeakerThan(cost),
  }
}
