import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'

const root = join(import.meta.dirname, '..', '..', '..')

export type Example = (t: Test) => unknown
export type Examples = Record<string, Example>

/** An example, or the row that has it: of the same table, or of Flask-JWT-Extended's. */
export type Others = Record<string, Example | string>

export interface Row {
  theirs: string
  ours: string
}

/** The rows under a heading of a page. A name in the first column stands alone, as code. */
export function rowsOf (page: string, heading: string): Row[] {
  const section = readFileSync(join(root, page), 'utf8')
    .split(/^##+ /m)
    .find((part) => part.startsWith(`${heading}\n`))!
  return [...section.matchAll(/^\| `([^`]+)` \| ([^|]+) \|/gm)].map(([, theirs, ours]) => ({
    theirs: theirs!,
    ours: ours!,
  }))
}

export const fromFlask = 'docs/from-flask-jwt-extended.md'
export const fromOthers = 'docs/from-others.md'
export const argumentsHeading = 'Arguments of jwt_required and verify_jwt_in_request'

/** What Flask-JWT-Extended has that is not nothing here. */
const ofFlask = ['Settings', 'Loaders', 'Functions', argumentsHeading]
  .flatMap((heading) => rowsOf(fromFlask, heading)).filter(({ ours }) => ours !== '–').map(({ theirs }) => theirs)

/**
 * Holds the table below a heading, row by row: each has an example, under the name in its first column, or says with a
 * – that nothing is needed. What a page promises and nobody tries, fails, and so does what is tried and nowhere
 * promised.
 */
export function testTable (t: Test, page: string, heading: string, examples: Others, count?: number): void {
  const rows = rowsOf(page, heading)

  t.test(`${page}: every row under ${heading} has an example or needs none`, async (t) => {
    if (count !== undefined) t.equal(rows.length, count)
    t.equal(new Set(rows.map(({ theirs }) => theirs)).size, rows.length, 'no name stands twice')
    t.same(rows.filter(({ ours }) => ours !== '–').map(({ theirs }) => theirs).sort(), Object.keys(examples).sort())
    for (const example of Object.values(examples)) {
      if (typeof example === 'string') { t.ok(ofFlask.includes(example) || typeof examples[example] === 'function', example) }
    }
  })

  t.test(`${page}: what stands under ${heading} is so`, async (t) => {
    for (const { theirs, ours } of rows) {
      const example = examples[theirs]
      if (typeof example === 'function') await t.test(`${theirs} is ${ours} here`, async (t) => { await example(t) })
    }
  })
}
