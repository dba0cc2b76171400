import type { AccountsServices, Verified } from '../../types/index.ts'
import { defineCommand } from './command.ts'
import { Refused } from './errors.ts'
import { targetFlags, withAccounts } from './target.ts'

/** Goes along all seals, part by part, as the service `events.verify` does for one. */
export const auditVerify = defineCommand({
  name: 'audit verify',
  summary: 'Checks whether stored events are as they were sealed.',
  flags: {
    expect: { type: 'string', value: 'HASH', summary: 'the hash of a seal that was kept elsewhere, which must exist' },
    ...targetFlags,
  },
  run: (_, { expect, ...target }) => withAccounts(target, async ({ events }) => {
    const result = await verifyAll(events, expect)
    return { result, text: told(result), ...!result.whole && { isBad: true } }
  }, ({ secret }) => {
    if (secret !== undefined || process.env.JWT_SECRET_KEY) return {}
    throw new Refused(
      'Seals are checked with the secret of the app: give its options with --config, or JWT_SECRET_KEY'
    )
  }),
})

type Result = Omit<Verified, 'next'>

/** What came of checking all parts: the last one says how it ended. */
export async function verifyAll (
  { verify }: Pick<AccountsServices['events'], 'verify'>, expect?: string
): Promise<Result> {
  let { next, ...all }: Verified = await verify({ ...expect !== undefined && { expect } })
  while (next !== null) {
    const { next: after, entries, seals, ...part } = await verify({ after: next })
    all = { ...part, entries: all.entries + entries, seals: all.seals + seals }
    next = after
  }
  return all
}

function told ({ whole, entries, seals, brokenAt, problem, head }: Result): string {
  if (problem === 'expected') return 'No seal has the hash that was expected.'
  const checked = `Checked ${entries} events in ${seals} seals`
  return whole
    ? `${checked}: nothing was changed. The last hash is ${head ?? '–'}.`
    : `${checked}: seal ${brokenAt} is broken (${problem}).`
}
