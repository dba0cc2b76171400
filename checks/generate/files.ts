import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '..', '..')

export function read (file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

/** Files below the root, in their order. */
export function filesOf (pattern: string): string[] {
  return globSync(pattern, { cwd: root }).toSorted()
}
