import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A test file, by its path in the project, and what it says of itself in comments above everything else. */
export interface TestFile { path: string, says: string }

/** What is asked for: tests of a database, or the rounds of trials, which have the machine for themselves. */
export interface Wanted { database: string, trials?: boolean }

/** So many files share a process: what they leave behind in memory still fits well. */
const most = 14

export function testFiles (root: string): TestFile[] {
  const paths = globSync('test/**/*.test.ts', { cwd: root }).toSorted()
  return paths.map((path) => ({ path, says: headOf(readFileSync(join(root, path), 'utf8')) }))
}

/**
 * Which files run in which process. A line of the comment at the top of a file may say:
 *
 * | line | means |
 * | --- | --- |
 * | `// In a process of its own: …` | it changes or measures its process, waits or computes for long, as is said there |
 * | `// On each database.` | it runs on servers too; others run on SQLite, and find by themselves the servers that they ask |
 * | `// With more rounds in trials.` | it runs in trials too |
 *
 * What has a process of its own comes first: there is much among it that waits, and others can run meanwhile.
 */
export function planOf (files: TestFile[], { database, trials = false }: Wanted): string[][] {
  const says = (line: RegExp) => (file: TestFile) => line.test(file.says)
  const isAlone = says(/^\/\/ In a process of its own: ./m)
  const asked = files
    .filter((file) => database === 'sqlite' || says(/^\/\/ On each database\.$/m)(file))
    .filter((file) => !trials || says(/^\/\/ With more rounds in trials\.$/m)(file))

  const shared = asked.filter((file) => !isAlone(file))
  const count = Math.ceil(shared.length / most)
  const groups = Array.from({ length: count }, (_, index) => shared.slice(index * shared.length / count, (index + 1) * shared.length / count))
  return [...asked.filter(isAlone).map((file) => [file]), ...groups].map((group) => group.map(({ path }) => path))
}

function headOf (source: string): string {
  return /^(?:\/\/.*\n)*/.exec(source)![0]
}
