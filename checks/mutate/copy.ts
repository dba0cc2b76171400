import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Instrumenter } from '@stryker-mutator/instrumenter'

/** A change to a file that reads as `source`, by its hash. */
export interface Mutant {
  id: string
  file: string
  source: string
  line: number
  column: number
  end: string
  replacement: string
}

const left = ['.git', '.tap', 'bench', 'dist', 'docs-api', 'node_modules', 'reports']
const silent = () => {}
const never = () => false
const log = {
  ...{
    isTraceEnabled: never,
    isDebugEnabled: never,
    isInfoEnabled: never,
    isWarnEnabled: never,
    isErrorEnabled: never,
    isFatalEnabled: never,
  },
  ...{ trace: silent, debug: silent, info: silent, warn: silent, error: silent, fatal: silent },
}

/** Members of schemas that are words for people. Other checks hold them against the documents. */
const prose = ['description', 'summary', 'usual', 'tsType']

/** The type of a path of Babel's says nothing of its node. */
function isProse (path: object): boolean {
  const { type, key } = (path as { node: { type: string, key?: { name?: string } } }).node
  return type === 'ObjectProperty' && prose.includes(key?.name ?? '')
}

/** The project once more, with every change to these files in it, each behind a switch. */
export async function copyWith (files: string[]): Promise<{ copy: string, mutants: Mutant[] }> {
  const copy = mkdtempSync(join(tmpdir(), 'accounts-mutants-'))
  for (const name of readdirSync('.').filter((name) => !left.includes(name))) {
    cpSync(name, join(copy, name), { recursive: true })
  }
  for (const name of ['temporary', 'compiled']) mkdirSync(join(copy, name))
  symlinkSync(join(process.cwd(), 'node_modules'), join(copy, 'node_modules'))

  const sources = files.map((name) => ({ name, content: readFileSync(name, 'utf8'), mutate: true }))
  const changed = await new Instrumenter(log).instrument(sources, {
    plugins: null,
    excludedMutations: [],
    ignorers: [{ shouldIgnore: (path) => isProse(path) ? 'the documents are held against it' : undefined }],
  })
  for (const { name, content } of changed.files) writeFileSync(join(copy, name), content)

  const hashes = new Map(sources.map(({ name, content }) => [name, hash(content)]))
  const mutants = changed.mutants
    .filter(({ status }) => status === undefined)
    .map(({ id, fileName, location: { start, end }, replacement }) => ({
      id,
      file: fileName,
      source: hashes.get(fileName)!,
      line: start.line + 1,
      column: start.column,
      end: `${end.line + 1}:${end.column}`,
      replacement,
    }))
  return { copy, mutants }
}

export function hash (text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
