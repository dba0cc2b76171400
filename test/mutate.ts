// Changes `lib/` in small ways, one at a time, and asks whether a test notices. Given paths, only there; with `--own`, only the
// tests of the same name are asked, with `--near` those nearby too. What was asked before and has not changed is remembered in
// `reports/`.
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { Stryker } from '@stryker-mutator/core'

/** The tests that are asked about a directory: those nearby first, and the others only about what survives those. */
const asked: Record<string, { near: string[], far: string[] }> = {
  'lib/tokens': {
    near: ['vectors', 'padding', 'purposes', 'secret', 'keyring', 'key', 'tokens', 'forgery'].map((name) => `test/tokens/${name}.test.ts`),
    far: ['test/tokens/{faults,persistence}.test.ts', 'test/sessions/{rotation,sessions}.test.ts', 'test/throttle/devices.test.ts', 'test/routes/{introspect,revoke,logout}.test.ts', 'test/{services,options,openapi}.test.ts'],
  },
  'lib/sessions': {
    near: ['sessions/rotation', 'models/decide', 'sessions/revocations', 'sessions/services', 'sessions/limit', 'sessions/poll', 'sessions/confirmations', 'sessions/sessions'].map((name) => `test/${name}.test.ts`),
    far: ['test/sessions/revocation-log.test.ts', 'test/routes/{logout,sessions,password,reauthenticate}.test.ts', 'test/{telemetry,orm,hooks,events,services}.test.ts', 'test/guards/{guard,memory}.test.ts'],
  },
  'lib/guards': {
    near: ['options', 'routes', 'memory', 'challenges', 'protect', 'guard', 'log', 'locate', 'csrf'].map((name) => `test/guards/${name}.test.ts`),
    far: ['test/routes/{scope,answers,introspect,logout}.test.ts', 'test/{cookies,events,services,openapi,options,index,telemetry,testing}.test.ts', 'test/neighbours/{plugins,hosts,two-kinds}.test.ts', 'test/tokens/tokens.test.ts'],
  },
  'lib/passwords': {
    near: ['pepper', 'argon2', 'rehash', 'legacy', 'queue', 'breached', 'blocklist', 'policy', 'hasher'].map((name) => `test/passwords/${name}.test.ts`),
    far: ['test/passwords/timing.test.ts', 'test/routes/{login,password,reauthenticate,answers}.test.ts', 'test/users/users.test.ts', 'test/{options,telemetry,services}.test.ts'],
  },
}

/** The tests of files that have none of the same name, or more than that: they are asked before the others nearby. */
const own: Record<string, string[]> = {
  'lib/tokens/claims.ts': ['test/tokens/tokens.test.ts', 'test/tokens/forgery.test.ts'],
  'lib/tokens/tokens.ts': ['test/tokens/tokens.test.ts', 'test/tokens/forgery.test.ts'],
  'lib/tokens/key-pair.ts': ['test/tokens/key.test.ts'],
  'lib/tokens/rsa.ts': ['test/tokens/key.test.ts'],
  'lib/guards/guard.ts': ['test/guards/guard.test.ts', 'test/guards/options.test.ts'],
  'lib/guards/admission.ts': ['test/services.test.ts', 'test/guards/guard.test.ts', 'test/guards/options.test.ts'],
  'lib/guards/routes.ts': ['test/guards/routes.test.ts', 'test/guards/guard.test.ts', 'test/guards/log.test.ts', 'test/guards/locate.test.ts', 'test/guards/csrf.test.ts'],
  'lib/passwords/hasher.ts': ['test/passwords/argon2.test.ts', 'test/passwords/legacy.test.ts', 'test/passwords/hasher.test.ts', 'test/passwords/policy.test.ts'],
  'lib/passwords/cost.ts': ['test/passwords/hasher.test.ts'],
  'lib/passwords/argon2.ts': ['test/passwords/hasher.test.ts'],
  'lib/passwords/context-words.ts': ['test/passwords/policy.test.ts'],
  'lib/passwords/rule.ts': ['test/passwords/policy.test.ts', 'test/passwords/blocklist.test.ts'],
  'lib/passwords/legacy/bcrypt.ts': ['test/passwords/legacy.test.ts'],
  'lib/passwords/legacy/pbkdf2.ts': ['test/passwords/legacy.test.ts'],
  'lib/passwords/legacy/scrypt.ts': ['test/passwords/legacy.test.ts'],
  'lib/passwords/options.ts': ['test/passwords/pepper.test.ts', 'test/passwords/queue.test.ts', 'test/passwords/legacy.test.ts', 'test/passwords/argon2.test.ts'],
}

type Mutants = Awaited<ReturnType<Stryker['runMutationTest']>>
type Mutant = Mutants[number]

const { positionals: given, values } = parseArgs({ allowPositionals: true, options: { own: { type: 'boolean' }, near: { type: 'boolean' } } })

/** A process that cannot begin has noticed too. */
const noticed = ['Killed', 'Timeout', 'RuntimeError']
const counted = [...noticed, 'Survived', 'NoCoverage']

/** As Stryker takes it: there columns begin with 0. */
const place = ({ fileName, location: { start, end } }: Mutant) => `${fileName}:${start.line}:${start.column - 1}-${end.line}:${end.column - 1}`
const nameOf = (mutant: Mutant) => `${place(mutant)} ${mutant.mutatorName} ${mutant.replacement}`

// Tests that fail are ended before they clean up.
const rest = process.env.TMPDIR = mkdtempSync(join(tmpdir(), 'accounts-mutants-'))
process.env.NODE_COMPILE_CACHE = join(rest, 'compiled')

/** Whom to ask about a file, one after the other. */
function ringsOf (file: string): [ring: string, tests: string[]][] {
  const { near, far } = asked[Object.keys(asked).find((directory) => file.startsWith(directory))!]!
  const named = own[file] ?? [join('test', dirname(relative('lib', file)), `${basename(file, '.ts')}.test.ts`)].filter((name) => near.includes(name))
  const first = named.length > 0 ? named : near
  const rings: [string, string[]][] = [['own', first], ['near', near.filter((name) => !first.includes(name))], ['far', globSync(far)]]
  return rings.slice(0, values.own ? 1 : values.near ? 2 : 3).filter(([, tests]) => tests.length > 0)
}

/** What became of every change at these places, by these tests. */
async function mutate (places: string[], incrementalFile: string, testFiles: string[]): Promise<Mutants> {
  const tap = { testFiles, nodeArgs: ['--import', '@tapjs/mock/import'] }
  return new Stryker({ mutate: places, incrementalFile, concurrency: Number(process.env.MUTATE_CONCURRENCY ?? 2), tap }).runMutationTest()
}

/** Asks ring after ring, each only about what the ones before have not noticed. */
async function judge (file: string): Promise<Mutants> {
  const verdicts = new Map<string, Mutant>()
  let places = [file]
  for (const [ring, tests] of ringsOf(file)) {
    const mutants = await mutate(places, `reports/mutation/${file.replaceAll('/', '-')}-${ring}.json`, tests)
    for (const mutant of mutants.filter(({ status }) => counted.includes(status))) {
      const known = verdicts.get(nameOf(mutant))
      if (!known || !noticed.includes(known.status)) verdicts.set(nameOf(mutant), mutant)
    }
    const surviving = [...verdicts.values()].filter(({ status }) => !noticed.includes(status))
    if (surviving.length === 0) break
    places = surviving.map(place)
  }
  return [...verdicts.values()]
}

function report (file: string, mutants: Mutants): void {
  const surviving = mutants.filter(({ status }) => !noticed.includes(status))
  console.log(`| ${file} | ${mutants.length} | ${mutants.length - surviving.length} |`)
  const lines = readFileSync(file, 'utf8').split('\n')
  for (const { location: { start }, mutatorName, replacement, status } of surviving) {
    console.log(`    ${file}:${start.line} ${status} ${mutatorName}: ${lines[start.line - 1]!.trim()}  =>  ${replacement}`)
  }
}

try {
  const files = Object.keys(asked).flatMap((directory) => globSync(`${directory}/**/*.ts`))
  for (const file of files.filter((file) => given.length === 0 || given.some((path) => file === path || dirname(file).startsWith(path)))) report(file, await judge(file))
} finally {
  rmSync(rest, { recursive: true })
}
