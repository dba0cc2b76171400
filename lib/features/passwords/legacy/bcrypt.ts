import { isMissing } from '../../../checks/missing-package.ts'
import type { PasswordVerifier } from '../options.ts'

/** `$2x$` is left out: it marks hashes of a faulty program, which are not what others make of a password. */
const form = /^\$2[aby]\$(0[4-9]|1[0-6])\$[./A-Za-z0-9]{53}$/

/**
 * Verifies bcrypt hashes up to this cost, with the package @node-rs/bcrypt. Only 72 bytes of a password count, as in
 * the system that made the hash.
 */
export function bcrypt ({ cost }: { cost: number }): PasswordVerifier {
  const costOf = (hash: string) => Number(form.exec(hash)?.[1])
  const decoyAt = (cost: number) => `$2b$${String(cost).padStart(2, '0')}$${'.'.repeat(53)}`

  return {
    decoy: decoyAt(cost),
    knows: (hash) => costOf(hash) <= cost,

    async verify (hash, password) {
      const { verify } = await load()
      if (await verify(password, hash)) return true
      // Each step doubles the work: with these it is that of a hash of the full cost.
      for (let spent = costOf(hash); spent < cost; spent++) await verify(password, decoyAt(spent))
      return false
    },
  }
}

async function load () {
  try {
    return await import('@node-rs/bcrypt')
  } catch (cause) {
    if (!isMissing(cause, '@node-rs/bcrypt')) throw cause
    throw new Error('legacy.bcrypt needs a package that is not there: npm install @node-rs/bcrypt', { cause })
  }
}
