import { defineCommand } from './command.ts'
import { targetFlags, withAccounts } from './target.ts'

export const prune = defineCommand({
  name: 'prune',
  summary: 'Deletes expired rows, as the app does once an hour, and prints their numbers.',
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
