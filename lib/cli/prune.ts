import { defineCommand } from './command.ts'
import { targetFlags, withAccounts } from './target.ts'

export const prune = defineCommand({
  name: 'prune',
  summary: 'Deletes what no token can be alive for, as the app does once an hour, and says how much.',
  flags: targetFlags,
  run: (_, target) =>
    withAccounts(target, async ({ prune }) => {
      const pruned = await prune()
      const { sessions, revocations, throttle, events } = pruned
      return {
        result: pruned,
        text: `Deleted ${sessions} sessions, ${revocations} revocations, ` +
          `${throttle} counts of failures and ${events} events.`,
      }
    }),
})
