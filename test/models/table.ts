import { digest, honest, livesPerSeed, schemes, seeds, situations, sum, type Tally } from './measure.ts'

type Row = [name: string, value: (tally: Tally) => string]

const findings: [finding: keyof Tally['thefts'], name: string][] = [
  ['atOnce', 'theft found when the sides meet'], ['next', 'one refresh later'], ['later', 'later still'], ['never', 'never'],
]

/** What was measured, in Markdown: a column for each scheme, and the seeds with what each of them has shown. */
export function table (measured: Record<string, Tally>[]): string {
  const names = Object.keys(schemes)
  const totals = names.map((name) => sum(measured.map((tallies) => tallies[name]!)))
  const lives = livesPerSeed * measured.length

  const rows: Row[] = [
    ...Object.keys(honest).map((name): Row => [`logged out: ${name}`, ({ loggedOut }) => share(loggedOut[name]!, lives)]),
    ...findings.map(([finding, name]): Row => [name, ({ thefts }) => share(thefts[finding], Object.values(thefts).reduce((a, b) => a + b))]),
    ['refresh tokens that work at one time, at most', ({ lines }) => `${lines}`],
    ['let in after the end or past the limit', ({ wrong }) => `${wrong}`],
  ]

  return [
    `| of ${(lives * situations).toLocaleString('en')} lives | ${names.join(' | ')} |`,
    `| --- |${' --- |'.repeat(names.length)}`,
    ...rows.map(([name, value]) => `| ${name} | ${totals.map(value).join(' | ')} |`),
    '',
    `Seeds ${seeds[0]} to ${seeds.at(-1)}, ${livesPerSeed.toLocaleString('en')} lives of each of ${situations} kinds a seed.`,
    `What each seed has shown, as a hash: ${measured.map((tallies) => `\`${digest(tallies)}\``).join(', ')}.`,
  ].join('\n')
}

/** 0 is said of nothing at all, and 100 % of everything. */
function share (count: number, of: number): string {
  if (count === 0) return '0'
  if (count === of) return '100 %'
  const percent = count / of * 100
  return percent < 0.01 ? '< 0.01 %' : `${Math.min(percent, 99.99).toFixed(percent < 10 ? 2 : 1)} %`
}
