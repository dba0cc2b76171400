import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isOfWhole } from './plan.ts'

/**
 * Writes a file for each process, which runs these test files one after the other, and gives the paths. The names are
 * numbers, since tap starts files in the order of their names.
 */
export function writeProcesses (root: string, folder: string, plan: string[][]): string[] {
  rmSync(join(root, folder), { recursive: true, force: true })
  mkdirSync(join(root, folder), { recursive: true })

  return plan.map((files, index) => {
    const name = `${String(index + 1).padStart(2, '0')}${files.every(isOfWhole) ? '-whole' : ''}`
    writeFileSync(join(root, folder, `${name}.ts`), [
      `import { together } from '${join(import.meta.dirname, 'together.ts')}'`,
      '',
      `await together(${JSON.stringify(files, null, 2)}, '${join(root, folder, `${name}.left`)}')`,
      '',
    ].join('\n'))
    return join(folder, `${name}.ts`)
  })
}

/** Of each process that did not come to its end: what it was at, and what was to come. */
export function interrupted (root: string, folder: string): string[] {
  return globSync(join(root, folder, '*.left')).toSorted().map((left) => {
    const [file, ...others] = readFileSync(left, 'utf8').split('\n')
    const what = `${file} did not come to its end.`
    return others.length > 0 ? `${what} Not run because of that: ${others.join(', ')}.` : what
  })
}
