import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const page = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'sessions.md'), 'utf8')

/** A table as it stands in `docs/sessions.md`, between its two marks. */
export function printed (name: string): string {
  return new RegExp(`<!-- models:${name} -->\n([^]*)\n<!-- /models:${name} -->`).exec(page)![1]!
}
