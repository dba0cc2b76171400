import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { digest, honest, livesPerSeed, measure, schemes, seeds, sum } from './measure.ts'
import { promised } from './situations.ts'
import { table } from './table.ts'

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'sessions.md'), 'utf8')
const printed = /<!-- compare:sessions -->\n([^]*)\n<!-- \/compare:sessions -->/.exec(page)![1]!
const measured = measure(seeds[0]!)
const [ours, ...others] = Object.keys(schemes).map((name) => measured[name]!)
const fork = measured['fork in window']

/** A table as its rows, and each row as its cells. */
const rowsOf = (text: string) => text.split('\n').filter((line) => line.startsWith('| '))
  .map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()))

t.test('the table has the schemes, the rows and the seeds that are measured, and the first seed shows what it has shown', async (t) => {
  const [told, now] = [rowsOf(printed), rowsOf(table([measured]))]
  t.same(told[0]!.slice(1), Object.keys(schemes))
  t.same(told.slice(1).map(([name]) => name), now.slice(1).map(([name]) => name))
  t.match(printed, `Seeds ${seeds[0]} to ${seeds.at(-1)}, ${livesPerSeed.toLocaleString('en')} lives`)
  t.same(printed.match(/`[0-9a-f]{8}`/g)!.length, seeds.length)
  t.equal(/`([0-9a-f]{8})`/.exec(printed)![1], digest(measured), 'npm run -s compare:sessions prints the table anew')
})

t.test('an honest client that keeps to the rules is never logged out by this plugin, and by each other scheme somewhere', async (t) => {
  const outs = (scheme: typeof ours) => Object.keys(promised).map((name) => scheme!.loggedOut[name]!)
  t.same(outs(ours), [0, 0, 0, 0])
  t.same(rowsOf(printed).slice(2, 6).map(([, told]) => told), ['0', '0', '0', '0'])
  for (const other of others) t.ok(outs(other).some((count) => count > livesPerSeed / 10))
})

t.test('no thief goes unfound and no session forks with this plugin, as they do where sessions fork', async (t) => {
  t.match(ours, { thefts: { never: 0 }, lines: 1, wrong: 0 })
  t.ok(ours!.thefts.atOnce > ours!.thefts.next && ours!.thefts.next > ours!.thefts.later)
  t.ok(fork!.thefts.never > 0 && fork!.lines > 1)
})

t.test('seeds add up, and the worst of them counts', async (t) => {
  const twice = sum([ours!, { ...ours!, lines: 5 }])
  t.equal(twice.lines, 5)
  t.equal(twice.thefts.atOnce, 2 * ours!.thefts.atOnce)
  t.same(Object.keys(twice.loggedOut), Object.keys(honest))
})
