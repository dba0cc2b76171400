// In a process of its own, for 10 s: it computes.
// With more rounds in trials.
import t from 'tap'
import { inTrials } from '../../support/rounds.ts'
import { partOf, printed } from './printed.ts'
import { branching } from './server.ts'
import { tellOfCrowds } from './tables.ts'

/** The plugin where most is lost; in trials wherever it is less, and its rivals. */
const { measured, table } = tellOfCrowds(inTrials ? {} : { only: branching, losses: [0.4] })
const rowsOf = (scheme: string) =>
  Object.entries(measured)
    .filter(([name]) => name.startsWith(scheme))
    .map(([, counts]) => counts)

t.test('a crowd of tabs that lose up to two of five answers never has to sign in again', async (t) => {
  t.equal(rowsOf('this plugin').length, 6)
  t.same(rowsOf('this plugin').flat(), Array(inTrials ? 24 : 6).fill(0))
})

t.test('a reuse interval and single use cost logins, and more the more answers are lost', { skip: !inTrials && 'npm run trials' }, async (t) => {
  for (const counts of [...rowsOf('reuse interval'), ...rowsOf('single use')]) {
    t.ok(counts[0]! > 100)
    t.same(counts, counts.toSorted((one, other) => one - other))
  }
})

t.test('the table of crowds in the documentation is what was simulated', async (t) => {
  t.equal(inTrials ? printed('crowds') : partOf(printed('crowds'), table), table, 'npm run -s compare:sessions prints it anew')
})
