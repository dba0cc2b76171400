import type { AccountsServices } from '../../types/index.ts'
import { defineCommand } from './command.ts'
import { Refused } from './errors.ts'
import { table } from './table.ts'
import { optionsOf, targetFlags, withAccounts } from './target.ts'
import { find, told } from './user.ts'

type Target = Parameters<typeof withAccounts>[0]

/** Second factors are looked at and taken away also where no options tell of them. */
function withFactors<Result> (target: Target, work: (accounts: AccountsServices) => Promise<Result>) {
  return withAccounts(target, work, ({ factors }) => factors ? {} : { factors: true })
}

const show = defineCommand({
  name: 'user factors',
  takes: 'USER',
  summary: 'Shows the second factors of a user.',
  flags: targetFlags,
  run: ([who], target) => withFactors(target, async ({ factors, users }) => {
    const result = await factors.of((await find(users, who!)).id)
    const rows = Object.entries(result).map(([name, value]) => [name, written(value)])
    return { result, text: table(rows) }
  }),
})

const reset = defineCommand({
  name: 'user reset-factors',
  takes: 'USER',
  summary: 'Removes second factors of a user, all if none is named, and ends all sessions. Verify who asks for it.',
  flags: {
    totp: { type: 'boolean', summary: 'the authenticator app' },
    passkeys: { type: 'boolean', summary: 'the passkeys' },
    'recovery-codes': { type: 'boolean', summary: 'the recovery codes' },
    devices: { type: 'boolean', summary: 'remembered browsers' },
    ...targetFlags,
  },
  run: ([who], { totp, passkeys, 'recovery-codes': codes, devices, ...target }) =>
    withFactors(target, async ({ factors, users }) => {
      const user = await find(users, who!)
      const named = Object.entries({ totp, passkeys, recovery_codes: codes, devices }).filter(([, isNamed]) => isNamed)
      await factors.reset(user.id, Object.fromEntries(named))
      return told(user, named.length > 0 ? 'has these no more' : 'has no second factors')
    }),
})

const reseal = defineCommand({
  name: 'keys reseal',
  summary: 'Encrypts everything with the first key that older keys of encryptionKey, or of secret, have encrypted.',
  flags: targetFlags,
  async run (_, target) {
    const { encryptionKey, secret } = await optionsOf(target)
    const { ACCOUNTS_ENCRYPTION_KEY: own, JWT_SECRET_KEY: shared } = process.env
    if (!(encryptionKey ?? secret) && !(own || shared)) {
      throw new Refused('There is no key: give encryptionKey or secret, or their variables of the environment')
    }
    return withFactors(target, async ({ factors }) => {
      const { toolboxOf } = await import('./plugin.ts')
      const result = await toolboxOf(factors).reseal()
      const { resealed, unreadable } = result
      const rest = unreadable === 0 ? '' : ` ${unreadable} cannot be read: their key is not there, or they are damaged.`
      return { result, text: `Encrypted anew: ${resealed}.${rest}`, isBad: unreadable > 0 }
    })
  },
})

export const factorCommands = [show, reset, reseal]

function written (value: unknown): string {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).map(([name, inner]) => `${name} ${inner ?? '–'}`).join(', ')
    : String(value ?? '–')
}
