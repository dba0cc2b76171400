import { defineCommand } from './command.ts'
import { targetFlags, withAccounts } from './target.ts'

export const prune = defineCommand({
  name: 'prune',
  summary: 'Deletes what no token can be alive for, as the app does once an hour, and says how much.',
  flags: targetFlags,
  run: (_, target) => withAccounts(target, async ({ prune }) => {
    const pruned = await prune()
    return { result: pruned, text: `Deleted ${Object.entries(pruned).map(([what, rows]) => `${rows} ${what}`).join(', ')}.` }
  }),
})
