import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { families } from '../tokens/forgery.ts'

const root = join(import.meta.dirname, '..', '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const page = read('docs/requirements.md')

/** Each list as its lines, those that are wrapped put together. */
const lists = page.split('\n\n').filter((block) => block.startsWith('- ')).map((block) =>
  block.trimEnd().replaceAll(/\n +(?=[^ -])/g, ' ').split('\n'))

/** Each requirement as its words, its source and its proofs: an entry, and the list below it. */
const rows = lists.flatMap((lines) => lines.join('\n').split(/^- /m).slice(1)).map((entry) => {
  const [first = '', ...proofs] = entry.trimEnd().split('\n')
  const [, requirement = '', source = ''] = /^(.+) \*([^*]+)\*$/.exec(first) ?? []
  return [requirement, source, proofs.map((proof) => proof.replace(/^ {2}- /, '')).join('; ')]
})

/** The names of the tests in a file as they stand there, with `…` for what is put in. */
function titlesIn (source: string): string[] {
  const calls = source.matchAll(/(?:^\s*|\.)test\(\s*(?:'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)"|`((?:\\.|[^`\\])*)`)/gm)
  return [...calls].map(([, single, double, template]) =>
    (single ?? double ?? template!.replaceAll(/\$\{[^}]*\}/g, '…')).replaceAll(/\\(.)/g, '$1')
  )
}

/** What GitHub makes of a heading for links. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-')

/** `file`: "a test", "another"; `other file`: "a test" (families `x`, `y`). */
const proofsOf = (cell: string) =>
  [...cell.matchAll(/`(test\/[\w./-]+)`: ("[^"]+"(?:, "[^"]+")*)/g)].map(([, file, titles]) => ({
    file: file!,
    titles: [...titles!.matchAll(/"([^"]+)"/g)].map(([, title]) => title!),
  }))
const linksOf = (text: string) =>
  [...text.matchAll(/\]\(([^)#]*)#([^)]*)\)/g)].map(([, file, anchor]) => ({ file: file!, anchor: anchor! }))

t.test('every requirement has words, a source and a proof', async (t) => {
  t.ok(lists.length >= 6 && rows.length > 80, `${rows.length} entries in ${lists.length} lists`)
  t.equal(page.match(/^- /gm)!.length, rows.length, 'every entry was read')
  t.equal(page.match(/^ +- /gm)!.length, rows.flatMap(([, , proof]) => proof!.split('; ')).length, 'and every proof')
  for (const cells of rows) {
    t.ok(cells.length === 3 && cells.every((cell) => cell !== ''), cells[0]!)
    t.ok(proofsOf(cells[2]!).length + linksOf(cells[2]!).length > 0, `${cells[0]} has a proof`)
  }
  t.strictSame(
    rows.map(([requirement]) => requirement).filter((text, at, all) => all.indexOf(text) !== at),
    [],
    'none stands twice'
  )
})

t.test('every test that is named as a proof exists under its name', async (t) => {
  const named = rows.map(([, , proof]) => proof!)
  for (const proof of named) {
    for (const { file, titles } of proofsOf(proof)) {
      const there = existsSync(join(root, file)) ? titlesIn(read(file)) : []
      for (const title of titles) t.ok(there.includes(title), `${file}: ${title}`)
    }
    const quoted = proof.match(/"[^"]*"/g) ?? []
    t.equal(
      proofsOf(proof).flatMap(({ titles }) => titles).length,
      quoted.length,
      `each name has its file: ${proof.slice(0, 60)}`
    )
  }
})

t.test('every family of forgeries that is named is forged', async (t) => {
  const named = rows.flatMap(([, , proof]) =>
    [...proof!.matchAll(/\(famil(?:y|ies) ([^)]+)\)/g)].flatMap(([, list]) =>
      [...list!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!)
    )
  )
  t.ok(named.length > 20)
  t.strictSame(named.filter((name) => !families.includes(name)), [])
})

t.test('every link to a section leads to one', async (t) => {
  const links = linksOf(page)
  t.ok(links.length > 5)
  for (const { file, anchor } of links) {
    const headings = [...read(file === '' ? 'docs/requirements.md' : `docs/${file}`).matchAll(/^#+ (.+)$/gm)].map(
      ([, heading]) => anchorOf(heading!)
    )
    t.ok(headings.includes(anchor), `${file}#${anchor}`)
  }
})
