import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A test file, by its path in the project, and what it says of itself in comments above everything else. */
export interface TestFile { path: string, says: string }

/** What is asked for: tests of a database, or the rounds of trials, which have the machine for themselves. */
export interface Wanted { database: string, trials?: boolean }

/** So many files share a process: what they leave behind in memory still fits well. */
const most = 14

/** About as long as such a process takes. */
const sharedSeconds = 60

const isAlone = /^\/\/ In a process of its own(?:, for (\d+) s)?: ./m

export function testFiles (root: string): TestFile[] {
  const paths = globSync('test/**/*.test.ts', { cwd: root }).toSorted()
  return paths.map((path) => ({ path, says: headOf(readFileSync(join(root, path), 'utf8')) }))
}

/**
 * Which files run in which process. A line of the comment at the top of a file may say:
 *
 * | line | means |
 * | --- | --- |
 * | `// In a process of its own: …` | it changes or measures its process, or takes long, as is said there |
 * | `// In a process of its own, for 30 s: …` | and takes about so long on a machine that does nothing else |
 * | `// On each database.` | it runs on servers too; others run on SQLite, or ask servers on their own |
 * | `// With more rounds in trials.` | it runs in trials too |
 *
 * What takes longest comes first, so that at the end no processor waits for one process that began late.
 */
export function planOf (files: TestFile[], { database, trials = false }: Wanted): string[][] {
  const says = (line: RegExp) => (file: TestFile) => line.test(file.says)
  const asked = files
    .filter((file) => database === 'sqlite' || says(/^\/\/ On each database\.$/m)(file))
    .filter((file) => !trials || says(/^\/\/ With more rounds in trials\.$/m)(file))

  const shared = asked.filter((file) => !says(isAlone)(file))
  const groups = [false, true].flatMap((whole) => inParts(shared.filter(({ path }) => isOfWhole(path) === whole)))
  return [...asked.filter(says(isAlone)).map((file) => [file]), ...groups]
    .toSorted((one, other) => secondsOf(other) - secondsOf(one))
    .map((group) => group.map(({ path }) => path))
}

/**
 * Whether a file asks for more than a part of the source: what is covered by such tests alone counts as not covered.
 */
export function isOfWhole (path: string): boolean {
  return path.startsWith('test/whole/')
}

function secondsOf ([first]: TestFile[]): number {
  const alone = isAlone.exec(first!.says)
  return alone ? Number(alone[1] ?? 0) : sharedSeconds
}

function inParts (files: TestFile[]): TestFile[][] {
  const count = Math.ceil(files.length / most)
  const start = (index: number) => Math.floor(index * files.length / count)
  return Array.from({ length: count }, (_, index) => files.slice(start(index), start(index + 1)))
}

function headOf (source: string): string {
  return /^(?:\/\/.*\n)*/.exec(source)![0]
}
