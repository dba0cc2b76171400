import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')

interface Package {
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
  peerDependenciesMeta?: Record<string, { optional?: boolean }>
}

/** What the folder is taken away with. */
interface Ending { teardown: (remove: () => void) => unknown }

/**
 * An app's folder, in which these packages are installed with all that they need, and no others: links to those of this
 * project. What looks for a package there must not follow them (`preserveSymlinks`), or it finds the rest as well.
 */
export function project (t: Ending, installed: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'accounts-app-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  for (const name of withWhatTheyNeed(installed)) {
    const link = join(folder, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), link)
  }
  return folder
}

/** What npm installs for an app that depends on this package and on `others`. */
export function packagesOf (others: string[]): string[] {
  const { dependencies, peerDependencies, peerDependenciesMeta }: Required<Package> = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8')
  )
  const peers = Object.keys(peerDependencies).filter((name) => !peerDependenciesMeta[name]?.optional)
  return [...Object.keys(dependencies), ...peers, ...others]
}

function withWhatTheyNeed (names: string[]): string[] {
  const lock: { packages: Record<string, Package> } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  const found = new Set(names)
  for (const name of found) {
    const { dependencies, peerDependencies, peerDependenciesMeta } = lock.packages[`node_modules/${name}`]!
    const peers = Object.keys(peerDependencies ?? {}).filter((peer) => !peerDependenciesMeta?.[peer]?.optional)
    for (const needed of [...Object.keys(dependencies ?? {}), ...peers]) {
      if (
        `node_modules/${needed}` in lock.packages &&
        !(`node_modules/${name}/node_modules/${needed}` in lock.packages)
      ) { found.add(needed) }
    }
  }
  return [...found]
}
