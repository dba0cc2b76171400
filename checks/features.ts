// Fails where a feature is not made as docs/development.md says: its card below all that it needs, its page in docs/
// and its tests under its name, and nothing of another feature but by its needs.
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { features } from '../lib/features.ts'
import type { AnyFeature } from '../lib/features/feature.ts'

const root = join(import.meta.dirname, '..')
const cards: readonly AnyFeature[] = features
const folders = readdirSync(join(root, 'lib/features'), { withFileTypes: true })
  .flatMap((entry) => entry.isDirectory() ? [entry.name] : [])

/** What of a feature others may load that need it. */
const doors = ['card.ts', 'errors.ts']

const problems = [
  ...cards.flatMap(misplaced),
  ...cards.flatMap(unfinished),
  ...withoutCard(),
  ...cards.flatMap(trespassing),
]
for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exitCode = 1

function misplaced (card: AnyFeature, place: number): string[] {
  const needs = Object.values<AnyFeature>(card.needs)
  return needs.filter((needed) => cards.indexOf(needed) > place || !cards.includes(needed))
    .map((needed) => `${card.name} needs ${needed.name}, which has to stand above it in lib/features.ts`)
}

function unfinished ({ name }: AnyFeature): string[] {
  const hasTests = globSync(`test/features/${name}/*.test.ts`, { cwd: root }).length > 0
  return [
    ...existsSync(join(root, 'docs', `${name}.md`)) ? [] : [`${name} has no page docs/${name}.md`],
    ...hasTests ? [] : [`${name} has no tests in test/features/${name}/`],
  ]
}

function withoutCard (): string[] {
  const names = cards.map(({ name }) => name)
  return folders
    .filter((folder) => !names.includes(folder))
    .map((folder) => `lib/features/${folder}/ has no card in lib/features.ts`)
}

/** Types may come from anywhere: they are nothing when it runs. */
function trespassing ({ name, needs }: AnyFeature): string[] {
  const needed = Object.values<AnyFeature>(needs).map((card) => card.name)
  return globSync(`lib/features/${name}/**/*.ts`, { cwd: root }).flatMap((file) => {
    const paths = [
      ...readFileSync(join(root, file), 'utf8').matchAll(/^(?:import|export) (?!type\b)[^']*'(\.[^']+)'/gm),
    ]
    return paths.flatMap(([, path]) => {
      const [, other, door] = /^lib\/features\/([^/]+)\/(.+)$/.exec(join(dirname(file), path!)) ?? []
      const isOwn = other === undefined || other === name
      if (isOwn || (needed.includes(other) && doors.includes(door!))) return []
      return [
        `${file} imports ${path}: of another feature that it needs it may import ${doors.join(' and ')}, and types`,
      ]
    })
  })
}
