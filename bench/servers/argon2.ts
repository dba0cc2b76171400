import { hash, verify } from 'argon2'
import { usualConcurrency } from '../../lib/features/passwords/options.ts'
import { offer, tokens, variant } from './offer.ts'

/** Passwords verified by argon2 and nothing else, so many at once, or as many as the plugin allows itself. */
const concurrency = Number(variant) || usualConcurrency(process.env)
const password = 'correct horse battery staple'
const stored = await hash(password, { memoryCost: 19456, timeCost: 2, parallelism: 1 })

offer('', [], {
  async run () {
    let left = tokens
    await Promise.all(
      Array.from({ length: concurrency }, async () => {
        while (left-- > 0) await verify(stored, password)
      })
    )
    return tokens
  },
})
