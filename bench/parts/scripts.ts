import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { answers } from '../../test/support/databases.ts'
import type { Section, Target } from '../report.ts'

/** The table that a script of `bench/` prints. */
async function tableOf (script: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', join(import.meta.dirname, '..', script), ...args])
  return stdout.trim()
}

/** The number that stands behind a word in the row that begins so; nothing where the script tells no such thing. */
function numberIn (text: string, row: string, word: RegExp): number | undefined {
  const line = text.split('\n').find((line) => line.startsWith(`| ${row}`))
  const found = line && new RegExp(`${word.source} ([\\d.]+)`).exec(line)?.[1]
  return found === undefined ? undefined : Number(found)
}

const targetsOf = (targets: (Omit<Target, 'found'> & { found: number | undefined })[]) => targets.filter((target): target is Target => target.found !== undefined)

/** A login storm, by `storm.ts`. */
export async function storm (): Promise<Section> {
  const found = await tableOf('storm.ts')
  return {
    title: 'A login storm',
    text: ['What `npm run bench:storm` prints; [passwords.md](passwords.md) tells what it means.', found].join('\n\n'),
    charts: {},
    targets: targetsOf([{ what: 'p99 of a guarded request in a login storm, by that when idle', most: 3, found: numberIn(found, 'guarded request, p99', /ratio/) }]),
  }
}

/** Many sessions and revocations beside none, by `growth.ts`: a hundred thousand of each, unless more are asked for. */
export async function growth (size = 100_000): Promise<Section> {
  const kinds = ['sqlite', ...await answers('postgresql') ? ['postgresql'] : []]
  const tables = new Map<string, string>()
  for (const kind of kinds) tables.set(kind, await tableOf('growth.ts', kind, `${size}`, `${size}`))
  const count = size.toLocaleString('en')
  return {
    title: 'Growth',
    text: [
      `What \`npm run bench:growth\` prints for ${count} sessions and ${count} revocations; \`npm run bench -- growth 1000000\` asks for a million.`,
      ...tables.values(),
    ].join('\n\n'),
    charts: {},
    targets: [...tables].flatMap(([kind, text]) => targetsOf([
      { what: `CPU of a guarded request with ${count} revocations, by that with none, ${kind}`, most: 1.1, found: lastNumber(text, 'guarded request, CPU') },
      { what: `CPU of a refresh with ${count} sessions, by that with none, ${kind}`, most: 1.3, found: lastNumber(text, 'refresh, CPU') },
    ])),
  }
}

function lastNumber (text: string, row: string): number | undefined {
  return numberIn(text, row, /\|(?=[^|]*\|$)/)
}
