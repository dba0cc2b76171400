// In a process of its own: it computes for long.
import t from 'tap'
import { printed } from './printed.ts'
import { tellOfCrowds } from './tables.ts'

const { measured, table } = tellOfCrowds()
const rowsOf = (scheme: string) =>
  Object.entries(measured)
    .filter(([name]) => name.startsWith(scheme))
    .map(([, counts]) => counts)

t.test('a crowd of tabs that lose up to two of five answers never has to sign in again', async (t) => {
  t.equal(rowsOf('this plugin').length, 6)
  t.same(rowsOf('this plugin').flat(), Array(24).fill(0))
})

t.test('a reuse interval and single use cost logins, and more the more answers are lost', async (t) => {
  for (const counts of [...rowsOf('reuse interval'), ...rowsOf('single use')]) {
    t.ok(counts[0]! > 100)
    t.same(counts, counts.toSorted((one, other) => one - other))
  }
})

t.test('the table of crowds in the documentation is what was simulated', async (t) => {
  t.equal(printed('crowds'), table, 'npm run -s compare:sessions prints it anew')
})
