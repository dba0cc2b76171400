import { hash, verify } from 'argon2'
import { usualConcurrency } from '../../lib/features/passwords/options.ts'
import { offer, tokens } from './offer.ts'

/** Passwords verified by argon2 and nothing else, as many at once as the plugin allows itself. */
const password = 'correct horse battery staple'
const stored = await hash(password, { memoryCost: 19456, timeCost: 2, parallelism: 1 })

offer('', [], {
  async run () {
    let left = tokens
    await Promise.all(Array.from({ length: usualConcurrency(process.env) }, async () => { while (left-- > 0) await verify(stored, password) }))
    return tokens
  },
})
