import { isOfWhole } from './plan.ts'

/**
 * What no file is called, so that tap measures nothing. Without any name it would start such processes before all
 * others.
 */
const nothing = 'nothing'

/** For tap: in which processes coverage is measured, which makes them slower by a third. */
export default function coverage (path: string): string | string[] {
  return isOfWhole(path) || path.endsWith('-whole.ts') ? nothing : []
}
