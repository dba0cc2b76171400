// Fails where a file of the source imports itself by way of others, or what stands above it. Types count as well.
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { layers, mostAtRoot } from './layers.ts'

const root = join(import.meta.dirname, '..')
const files = globSync('{lib,types}/**/*.ts', { cwd: root }).toSorted()
const imports = new Map(files.map((file) => [file, importsOf(file)]))

const order = Object.keys(layers)
const places = Object.entries(layers).flatMap(([layer, names]) => names.map((name) => ({ name, layer })))
const placed = new Map(files.map((file) => [file, placeOf(file)]))

const problems = [...circles(), ...misplaced(), ...arrowsUp(), ...tooManyAtRoot()]
for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exitCode = 1

/** A path in quotes that leads to a file of the source is an import, whatever stands before it. */
function importsOf (file: string): string[] {
  const paths = readFileSync(join(root, file), 'utf8').matchAll(/'(\.{1,2}\/[^']+)'/g)
  return [...new Set([...paths].map(([, path]) => join(dirname(file), path!)))].filter((path) => files.includes(path))
}

function placeOf (file: string): typeof places[number] | undefined {
  const fitting = places.filter(({ name }) => name.endsWith('/') ? file.startsWith(name) : file === name)
  return fitting.toSorted((one, other) => other.name.length - one.name.length)[0]
}

/** Of all circles the shortest: without it there may be others. */
function circles (): string[] {
  const ways = files.map(wayBackTo).filter((way) => way !== undefined)
  const [shortest] = ways.toSorted((one, other) => one.length - other.length)
  return shortest ? [`${ways.length} files import themselves, as in ${shortest.join(' → ')}`] : []
}

function wayBackTo (file: string): string[] | undefined {
  const seen = new Set<string>()
  const ways = [[file]]
  for (const way of ways) {
    for (const next of imports.get(way.at(-1)!)!) {
      if (next === file) return [...way, file]
      if (!seen.has(next)) ways.push([...way, next])
      seen.add(next)
    }
  }
}

/** Files without a layer, and names that stand for no file. */
function misplaced (): string[] {
  const used = new Set(placed.values())
  const unused = places.filter((place) => !used.has(place))
  return [
    ...files.filter((file) => !placed.get(file)).map((file) => `${file} has no layer in checks/layers.ts`),
    ...unused.map(({ name, layer }) => `${name} stands for no file in the layer ${layer} of checks/layers.ts`),
  ]
}

function arrowsUp (): string[] {
  const heightOf = (file: string) => order.indexOf(placed.get(file)?.layer ?? '')
  return files.flatMap((file) => {
    const above = imports.get(file)!.filter((imported) => heightOf(imported) > heightOf(file))
    return above.map((imported) => `${file} imports ${imported}, which stands above it`)
  })
}

function tooManyAtRoot (): string[] {
  const count = files.filter((file) => dirname(file) === 'lib').length
  return count > mostAtRoot ? [`${count} files lie at the root of lib/, where there may be ${mostAtRoot}`] : []
}
