import { inOrder, isWeakerThan, type Cost } from './cost.ts'
import type { PasswordHasher } from './options.ts'

/** The hasher of apps that have none of their own, which alone load its package. */
export async function createArgon2 (cost: Cost): Promise<PasswordHasher> {
  const { hash, verify } = await import('argon2')
  return {
    hash: async (password) => inOrder(await hash(password, cost)),
    verify,
    needsRehash: isWeakerThan(cost),
  }
}
