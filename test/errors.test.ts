import t from 'tap'
import { errors } from '../lib/index.ts'

const waits: [ms: number, seconds: string, words: string][] = [
  [0, '1', '1 second'],
  [1500, '2', '2 seconds'],
  [120_000, '120', '120 seconds'],
  [120_001, '121', '3 minutes'],
  [900_000, '900', '15 minutes'],
]

t.test('who has to wait is told for how long, and never less than it is', async (t) => {
  for (const [ms, seconds, words] of waits) {
    t.match(new errors.Throttled(ms), {
      message: `There were too many attempts: try again in ${words}`,
      headers: { 'retry-after': seconds },
    })
    t.match(new errors.Busy(ms), {
      message: `Too many passwords are waiting to be checked: try again in ${words}`,
      headers: { 'retry-after': seconds },
    })
  }
})
