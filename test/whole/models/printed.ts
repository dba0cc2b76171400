import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const page = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'sessions.md'), 'utf8')

/** A table as it stands in `docs/sessions.md`, between its two marks. */
export function printed (name: string): string {
  return new RegExp(`<!-- models:${name} -->\n([^]*)\n<!-- /models:${name} -->`).exec(page)![1]!
}

/** Of a table what another has too, by the names of its rows and its columns. */
export function partOf (table: string, other: string): string {
  const [whole, asked] = [cellsOf(table), cellsOf(other)]
  const names = new Set(asked.map(([name]) => name))
  const columns = asked[0]!.map((title) => whole[0]!.indexOf(title))
  return whole
    .filter(([name]) => names.has(name))
    .map((cells) => `| ${columns.map((column) => cells[column]).join(' | ')} |`)
    .join('\n')
}

const cellsOf = (table: string) => table.split('\n').map((line) => line.slice(2, -2).split(' | '))
