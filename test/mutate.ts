// Changes `lib/` in small ways, one at a time, and asks whether a test notices. Given paths, only there; with `--near`, only
// tests nearby are asked. What was asked before and has not changed is remembered in `reports/`.
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { Stryker } from '@stryker-mutator/core'

/** The tests that are asked about a directory: those nearby first, and all of them only about what survives those. */
const asked: Record<string, { near: string[], far: string[] }> = {
  'lib/tokens': {
    near: ['vectors', 'padding', 'purposes', 'secret', 'keyring', 'key', 'tokens', 'forgery'].map((name) => `test/tokens/${name}.test.ts`),
    far: ['test/tokens/{faults,persistence}.test.ts', 'test/sessions/{rotation,sessions}.test.ts', 'test/throttle/devices.test.ts', 'test/routes/{introspect,revoke}.test.ts', 'test/{options,openapi}.test.ts'],
  },
  'lib/sessions': {
    near: ['sessions/rotation', 'models/decide', 'sessions/revocations', 'sessions/services', 'sessions/limit', 'sessions/poll', 'sessions/confirmations', 'sessions/sessions'].map((name) => `test/${name}.test.ts`),
    far: ['test/sessions/revocation-log.test.ts', 'test/routes/{logout,sessions,password,reauthenticate}.test.ts', 'test/{telemetry,orm,hooks,events,services}.test.ts', 'test/guards/{guard,memory}.test.ts'],
  },
  'lib/guards': {
    near: ['options', 'routes', 'memory', 'challenges', 'protect', 'guard', 'log', 'locate', 'csrf'].map((name) => `test/guards/${name}.test.ts`),
    far: ['test/routes/{scope,answers,introspect,logout}.test.ts', 'test/{cookies,services,openapi,options,index,telemetry,testing}.test.ts', 'test/neighbours/{plugins,hosts,two-kinds}.test.ts', 'test/tokens/tokens.test.ts'],
  },
  'lib/passwords': {
    near: ['pepper', 'argon2', 'rehash', 'legacy', 'queue', 'breached', 'blocklist', 'policy', 'hasher'].map((name) => `test/passwords/${name}.test.ts`),
    far: ['test/passwords/timing.test.ts', 'test/routes/{login,password,reauthenticate,answers}.test.ts', 'test/users/users.test.ts', 'test/{options,telemetry,services}.test.ts'],
  },
}

type Mutants = Awaited<ReturnType<Stryker['runMutationTest']>>
type Mutant = Mutants[number]

const { positionals: given, values } = parseArgs({ allowPositionals: true, options: { near: { type: 'boolean', default: false } } })

const noticed = ['Killed', 'Timeout']
const counted = [...noticed, 'Survived', 'NoCoverage']

/** As Stryker takes it: there columns begin with 0. */
const place = ({ fileName, location: { start, end } }: Mutant) => `${fileName}:${start.line}:${start.column - 1}-${end.line}:${end.column - 1}`
const nameOf = (mutant: Mutant) => `${place(mutant)} ${mutant.mutatorName} ${mutant.replacement}`

// Tests that fail are ended before they clean up.
const rest = process.env.TMPDIR = mkdtempSync(join(tmpdir(), 'accounts-mutants-'))
process.env.NODE_COMPILE_CACHE = join(rest, 'compiled')

/** What became of every change within these files or places, by these tests. */
async function mutate (places: string[], directory: string, tests: 'near' | 'far'): Promise<Mutants> {
  const incrementalFile = `reports/mutation/${directory.replace('/', '-')}-${tests}.json`
  const testFiles = globSync(asked[directory]![tests])
  return new Stryker({ mutate: places, incrementalFile, concurrency: Number(process.env.MUTATE_CONCURRENCY ?? 2), tap: { testFiles } }).runMutationTest()
}

async function judge (files: string[], directory: string): Promise<Mutants> {
  // What is remembered of other files comes along.
  const judged = (await mutate(files, directory, 'near')).filter(({ fileName, status }) => files.includes(relative('', fileName)) && counted.includes(status))
  const surviving = judged.filter(({ status }) => !noticed.includes(status))
  if (surviving.length === 0 || values.near) return judged

  const again = new Map((await mutate(surviving.map(place), directory, 'far')).map((mutant) => [nameOf(mutant), mutant]))
  return judged.map((mutant) => noticed.includes(mutant.status) ? mutant : again.get(nameOf(mutant)) ?? mutant)
}

function report (mutants: Mutants): void {
  for (const file of new Set(mutants.map(({ fileName }) => fileName))) {
    const here = mutants.filter(({ fileName }) => fileName === file)
    const surviving = here.filter(({ status }) => !noticed.includes(status))
    const score = (here.length - surviving.length) / here.length * 100
    console.log(`| ${relative('', file)} | ${here.length} | ${here.length - surviving.length} | ${score.toFixed(1)} % |`)
    const lines = readFileSync(file, 'utf8').split('\n')
    for (const { location: { start }, mutatorName, replacement, status } of surviving) {
      console.log(`    ${relative('', file)}:${start.line} ${status} ${mutatorName}: ${lines[start.line - 1]!.trim()}  =>  ${replacement}`)
    }
  }
}

try {
  for (const directory of Object.keys(asked)) {
    const files = globSync(`${directory}/**/*.ts`).filter((file) => given.length === 0 || given.some((path) => file === path || dirname(file).startsWith(path)))
    if (files.length > 0) report(await judge(files, directory))
  }
} finally {
  rmSync(rest, { recursive: true })
}
