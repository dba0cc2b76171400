// Stands for `tap` in the test files that it is told to import: keeps their tests, and runs one when it is asked.
import { registerHooks } from 'node:module'
import { Test } from 'tap'

/** What the parent asks: to import a file, or to run one of its tests, as the code stands or with a change. */
export interface Question { file: string, test?: number, mutant?: string, hitLimit?: number }

/** What it is told: the names of a file's tests, whether one passed, and how often which changes were reached. */
export interface Answer {
  tests: string[]
  isOk: boolean
  milliseconds: number
  hits: number
  reached: Record<string, number>
}

interface Stryker {
  activeMutant: string | undefined
  currentTestId: string | undefined
  hitCount: number
  hitLimit: number
  mutantCoverage: { static: Record<string, number>, perTest: Record<string, Record<string, number>> }
}

type Call = [name: string, options: object, cb: (t: Test) => unknown]
type Around = [when: 'beforeEach' | 'afterEach', what: () => unknown]

/** What Stryker's switches look at. */
const stryker = ((globalThis as unknown as { __stryker__: Partial<Stryker> }).__stryker__ = {
  mutantCoverage: { static: {}, perTest: {} },
} as Stryker)
const always = (stryker.activeMutant = process.env.__STRYKER_ACTIVE_MUTANT__)

const files = new Map<string, { tests: Call[], around: Around[] }>()
let opened: string

/** What stands outside of the tests of a file is done by a test that never ends. */
const outside = quietTest()

export function test (...call: Call): void {
  files.get(opened)!.tests.push(call)
}

export default new Proxy(outside, {
  get (target, name: keyof Test) {
    const { around } = files.get(opened)!
    if (name === 'test') return test
    if (name === 'beforeEach' || name === 'afterEach') return (what: () => unknown) => { around.push([name, what]) }
    const value = target[name]
    return typeof value === 'function' ? value.bind(target) : value
  },
})

registerHooks({
  resolve: (name, context, next) =>
    name === 'tap' ? { url: import.meta.url, shortCircuit: true } : next(name, context),
})

process.on('message', async ({ file, test, mutant, hitLimit = Infinity }: Question) => {
  const { tests, around } = files.get(file) ?? await open(file)
  const begun = performance.now()
  Object.assign(stryker, {
    activeMutant: mutant ?? always,
    currentTestId: test === undefined ? undefined : 'test',
    hitCount: 0,
    hitLimit,
  })
  stryker.mutantCoverage.perTest = {}
  const isOk = test === undefined || await run(tests[test]!, around)
  const reached = test === undefined ? stryker.mutantCoverage.static : stryker.mutantCoverage.perTest.test ?? {}
  const { hitCount: hits } = stryker
  Object.assign(stryker, { activeMutant: always, currentTestId: undefined })
  const answer: Answer = {
    tests: tests.map(([name]) => name),
    isOk,
    milliseconds: performance.now() - begun,
    hits,
    reached,
  }
  process.send!(answer)
})

async function open (file: string) {
  const found = { tests: [], around: [] }
  files.set(opened = file, found)
  await import(file)
  return found
}

async function run (call: Call, around: Around[]): Promise<boolean> {
  const file = quietTest()
  for (const [name, what] of around) file[name](what)
  const results = await file.test(...call)
  file.end()
  // Nothing comes of a test that is skipped.
  return results?.ok ?? true
}

/** Stands where a file's own would; nobody reads what it says. */
function quietTest (): Test {
  const test = new Test({ name: 'file' }) as Test
  test.resume()
  test.runMain(() => {})
  return test
}
