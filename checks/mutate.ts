// Changes `lib/` in small ways, one at a time, and asks whether a test notices. Given paths, only there. What was
// judged before and has not changed is remembered in `reports/`.
import { appendFileSync, existsSync, globSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { copyWith, hash, type Mutant } from './mutate/copy.ts'
import { createProcess } from './mutate/processes.ts'

/** The tests that are asked about a directory. */
const asked: Record<string, string[]> = {
  'lib/sessions': [
    'test/sessions/*.test.ts',
    'test/features/sessions/*.test.ts',
    'test/features/{users,token-services}/*.test.ts',
    'test/features/passwords/{login,change,reauthenticate}.test.ts',
    'test/features/throttle/throttle.test.ts',
    'test/whole/models/decide.test.ts',
    'test/events/*.test.ts',
    'test/host/hooks.test.ts',
    'test/http/{answers,scope}.test.ts',
    'test/database/{orm,prune}.test.ts',
    'test/guards/{guard,memory,acr}.test.ts',
    'test/features/factors/{step,factors}.test.ts',
    'test/features/{closing,reset}/*.test.ts',
  ],
  'lib/tokens': [
    'test/tokens/*.test.ts',
    'test/secrets/*.test.ts',
    'test/sessions/{rotation,sessions}.test.ts',
    'test/features/throttle/devices.test.ts',
    'test/features/token-services/*.test.ts',
    'test/features/sessions/logout.test.ts',
    'test/openapi/document.test.ts',
    'test/options.test.ts',
    'test/guards/acr.test.ts',
    'test/features/factors/{step,factors,attacks}.test.ts',
    'test/features/totp/totp.test.ts',
  ],
  'lib/guards': [
    'test/guards/*.test.ts', 'test/transport/*.test.ts', 'test/http/{scope,answers}.test.ts',
    'test/features/token-services/{introspect,services}.test.ts', 'test/features/sessions/logout.test.ts',
    'test/events/*.test.ts', 'test/openapi/document.test.ts', 'test/{options,index,testing}.test.ts',
    'test/sessions/signals.test.ts', 'test/whole/neighbours/{plugins,hosts}.test.ts', 'test/two-kinds.test.ts',
    'test/tokens/tokens.test.ts', 'test/features/factors/{factors,attacks}.test.ts',
  ],
  'lib/features/passwords': [
    'test/features/passwords/*.test.ts', 'test/http/answers.test.ts', 'test/features/register/register.test.ts',
    'test/features/token-services/services.test.ts', 'test/events/telemetry.test.ts', 'test/options.test.ts',
    'test/features/reset/reset.test.ts', 'test/features/factors/step.test.ts',
  ],
  'lib/database/statement.ts': [
    'test/database/{orm,database}.test.ts',
    'test/events/telemetry.test.ts',
    'test/sessions/{sessions,confirmations}.test.ts',
    'test/users/*.test.ts',
    'test/features/users/{admins,services,users}.test.ts',
    'test/checks/{field-schema,typebox-1}.test.ts',
  ],
}

/**
 * What became of a change. One that nobody noticed was asked of these test files, by their hashes, for so many seconds.
 */
interface Verdict { change: string, noticedBy: string | null, askedOf: Record<string, string>, seconds: number }

interface TestOfOurs { file: string, test: number, name: string, milliseconds: number, reached: Record<string, number> }

const given = process.argv.slice(2)
/**
 * What survives so many seconds of tests survives: what is reached by more runs whenever an app is made, and is noticed
 * soon.
 */
const seconds = Number(process.env.MUTATE_SECONDS ?? 60)

const memory = 'reports/mutants.jsonl'

const verdicts = new Map<string, Verdict>()
if (existsSync(memory)) {
  for (const line of readFileSync(memory, 'utf8').split('\n').filter(Boolean)) remember(JSON.parse(line))
}

function remember (verdict: Verdict): void {
  verdicts.set(verdict.change, verdict)
}

const changeOf = ({ file, source, line, column, end, replacement }: Mutant) =>
  `${file} ${source} ${line}:${column}-${end} ${replacement}`

const directoryOf = (file: string) => Object.keys(asked).find((path) => file.startsWith(path))!
const files = Object.keys(asked).flatMap((path) => path.endsWith('.ts') ? [path] : globSync(`${path}/**/*.ts`).sort())
  .filter((file) => given.length === 0 || given.some((path) => file === path || file.startsWith(`${path}/`)))
  .sort((a, b) => given.findIndex((path) => a.startsWith(path)) - given.findIndex((path) => b.startsWith(path)))

const { copy, mutants } = await copyWith(files)
const staying = createProcess(copy)

/** Waits while somebody measures on this machine. */
async function pause (): Promise<void> {
  while (process.env.MUTATE_PAUSE && existsSync(process.env.MUTATE_PAUSE)) await sleep(1000)
}

/** Long enough for a machine that is busy. */
const limitOf = ({ milliseconds }: TestOfOurs) => 3000 + 5 * milliseconds

/** The tests of these files that pass in a process with others, and the changes that importing them reaches. */
async function tryOut (testFiles: string[]): Promise<{ tests: TestOfOurs[], atImport: Set<string> }> {
  const tests: TestOfOurs[] = []
  const atImport = new Set<string>()
  for (const file of testFiles) {
    const opened = await staying.open(file)
    if (!opened) throw new Error(`${file} cannot be imported`)
    for (const id of Object.keys(opened.reached)) atImport.add(id)
    for (const [test, name] of opened.tests.entries()) {
      await pause()
      const answer = await staying.ask({ file, test }, 120_000)
      if (answer?.isOk) tests.push({ ...answer, file, test, name })
      else console.log(`not asked, since it fails here: ${file}: ${name}`)
    }
  }
  return { tests, atImport }
}

/**
 * True if the test fails with the change and passes without. A process that a change has left in pieces is begun anew.
 */
async function notices (asking: TestOfOurs, { id }: Mutant): Promise<{ isNoticed: boolean, hits: number }> {
  const { file, test, reached } = asking
  const withChange = () =>
    staying.ask({ file, test, mutant: id, hitLimit: 1000 + 100 * (reached[id] ?? 0) }, limitOf(asking))
  const without = () => staying.ask({ file, test }, limitOf(asking))

  const answer = await withChange()
  if (answer?.isOk) return { isNoticed: false, hits: answer.hits }
  if ((await without())?.isOk) return { isNoticed: true, hits: 1 }

  await staying.end()
  const again = await withChange()
  await staying.end()
  return { isNoticed: !again?.isOk && (await without())?.isOk === true, hits: 1 }
}

/** The same for what runs once in a process: the change is there from the start. */
async function noticedInAProcessOfItsOwn (tests: TestOfOurs[], { id }: Mutant): Promise<TestOfOurs | undefined> {
  const own = createProcess(copy, { __STRYKER_ACTIVE_MUTANT__: id })
  try {
    for (const asking of tests) {
      const { file, test } = asking
      if ((await own.ask({ file, test, mutant: id }, limitOf(asking)))?.isOk) continue
      if ((await staying.ask({ file, test }, limitOf(asking)))?.isOk) return asking
    }
  } finally {
    await own.end()
  }
}

async function noticedBy (mutant: Mutant, tests: TestOfOurs[], atImport: Set<string>): Promise<TestOfOurs | undefined> {
  const reaching = firstOf(tests.filter(({ reached }) => mutant.id in reached))
  let reached = 0
  for (const test of reaching) {
    const { isNoticed, hits } = await notices(test, mutant)
    if (isNoticed) return test
    reached += hits
  }
  // What was reached when each test ran for the first time, and is not reached again, runs once in a process.
  if (atImport.has(mutant.id) || (reaching.length > 0 && reached === 0)) {
    return noticedInAProcessOfItsOwn(firstOf(tests), mutant)
  }
}

/** As many as take so long. */
function firstOf (tests: TestOfOurs[]): TestOfOurs[] {
  let spent = 0
  return tests.filter(({ milliseconds }) => {
    const isFirst = spent < seconds * 1000
    spent += milliseconds
    return isFirst
  })
}

/** The fastest first; those nearby may be slower, and those of the same name more so. */
function inOrder (tests: TestOfOurs[], file: string): TestOfOurs[] {
  const rank = ({ file: testFile, milliseconds }: TestOfOurs) =>
    milliseconds /
    (basename(testFile, '.test.ts') === basename(file, '.ts')
      ? 10
      : dirname(testFile) === dirname(file).replace('lib', 'test')
        ? 5
        : 1)
  return tests.toSorted((a, b) => rank(a) - rank(b))
}

async function judge (directory: string): Promise<void> {
  const testFiles = globSync(asked[directory]!, { cwd: copy })
  const hashes = new Map(testFiles.map((file) => [file, hash(readFileSync(join(copy, file), 'utf8'))]))
  const unasked = (mutant: Mutant) => {
    const verdict = verdicts.get(changeOf(mutant))
    return verdict?.noticedBy
      ? []
      : testFiles.filter((file) => !verdict || verdict.seconds < seconds || verdict.askedOf[file] !== hashes.get(file))
  }
  const wanted = new Set(mutants.filter(({ file }) => directoryOf(file) === directory).flatMap(unasked))
  const { tests, atImport } = await tryOut(testFiles.filter((file) => wanted.has(file)))

  for (const file of files.filter((file) => directoryOf(file) === directory)) {
    let order = inOrder(tests, file)
    for (const mutant of mutants.filter((mutant) => mutant.file === file && unasked(mutant).length > 0)) {
      await pause()
      const unaskedFiles = unasked(mutant)
      const noticer = await noticedBy(mutant, order.filter(({ file }) => unaskedFiles.includes(file)), atImport)
      // Who noticed one change often notices the next.
      if (noticer) order = [noticer, ...order.filter((test) => test !== noticer)]
      const verdict = {
        change: changeOf(mutant),
        noticedBy: noticer ? `${noticer.file}: ${noticer.name}` : null,
        askedOf: Object.fromEntries(hashes),
        seconds,
      }
      remember(verdict)
      appendFileSync(memory, `${JSON.stringify(verdict)}\n`)
    }
    report(file)
    // What tests leave behind in a process makes it larger and slower.
    await staying.end()
  }
}

function report (path: string): void {
  const judged = mutants.filter((mutant) => mutant.file.startsWith(path) && verdicts.has(changeOf(mutant)))
  const surviving = judged.filter((mutant) => !verdicts.get(changeOf(mutant))!.noticedBy)
  console.log(`| ${path} | ${judged.length} | ${judged.length - surviving.length} | ${surviving.length} |`)
  for (const { file, line, column, replacement } of surviving.filter(({ file }) => file === path)) {
    console.log(
      `    ${file}:${line}:${column + 1}  ${readFileSync(file, 'utf8').split('\n')[line - 1]!.trim()}  =>  ${replacement.replaceAll(/\s+/g, ' ')}`
    )
  }
}

try {
  mkdirSync(dirname(memory), { recursive: true })
  for (const directory of new Set(files.map(directoryOf))) await judge(directory)
  for (const directory of new Set(files.map(directoryOf))) report(directory)
} finally {
  await staying.end()
  rmSync(copy, { recursive: true })
}
