import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Finding } from './finding.ts'

const packages = ['core', 'sql', 'migrations', 'sqlite', 'postgresql', 'mariadb', 'mysql'].map(
  (name) => `@mikro-orm/${name}`
)

/** What the app runs on: Node, and the packages of the project in `folder`. */
export function findingsAround (folder: string): Finding[] {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const installed = packages
    .map((name) => ({ name, version: versionOf(name, folder) }))
    .filter(({ version }) => version !== undefined)
  const versions = installed.map(({ name, version }) => `${name} ${version}`)
  const differ = new Set(installed.map(({ version }) => version)).size > 1

  return [
    ...(major < 22 || (major === 22 && minor < 17)
      ? [
          {
            level: 'error' as const,
            finding: `This is Node ${process.versions.node}.`,
            remedy: 'Install Node 22.17 or newer.',
          },
        ]
      : []),
    ...(differ
      ? [
          {
            level: 'error' as const,
            finding: `The packages of MikroORM have different versions: ${versions.join(', ')}.`,
            remedy: 'Install all of them in one version.',
          },
        ]
      : []),
  ]
}

/** The version of a package that the project can import. Undefined where it is not installed. */
function versionOf (name: string, folder: string): string | undefined {
  try {
    return createRequire(join(folder, 'package.json'))(`${name}/package.json`).version
  } catch {
    return undefined
  }
}
