// Compiles an app against the declarations of the package, with each driver alone beside it and nothing skipped.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { packagesOf, project } from '../test/support/project.ts'

const root = join(import.meta.dirname, '..')
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
const run = (...args: string[]) => promisify(execFile)(process.execPath, [tsc, ...args], { cwd: root })

/** What an app installs for the types of a driver, beside the driver. */
const drivers = { sqlite: ['@types/better-sqlite3'], postgresql: ['@types/pg'], mariadb: [], mysql: [] }

/**
 * Declarations of others that do not compile, whoever imports them: this one needs `Temporal`, which the compiler does
 * not know.
 */
const notOurs = /^\S*node_modules\/postgres-interval\/\S+ error TS2503: Cannot find namespace 'Temporal'\.$/

/** An app's own MikroORM. */
const ownOrm = (driver: string) => `import { MikroORM } from '@mikro-orm/${driver}'
import Fastify from 'fastify'
import accounts, { entities } from 'fastify-jwt-accounts'
await Fastify().register(accounts, { orm: () => MikroORM.init({ entities, dbName: 'app' }) })
`

/** The declarations, as the package has them. */
const dist = mkdtempSync(join(tmpdir(), 'accounts-declarations-'))
const made = [() => rmSync(dist, { recursive: true })]
try {
  await run('-p', 'tsconfig.build.json', '--outDir', dist)
  nameNoOptionalPackage()
  console.log('No declaration names a package that an app need not have.')
  for (const [driver, types] of Object.entries(drivers)) {
    await compile(driver, types)
    console.log(`An app that has installed the driver of ${driver} alone compiles.`)
  }
} finally {
  for (const remove of made) remove()
}

function nameNoOptionalPackage (): void {
  const { peerDependenciesMeta }: { peerDependenciesMeta: object } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8')
  )
  const texts = readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.d.ts'))
    .map((name) => readFileSync(join(dist, name), 'utf8'))
  const named = texts.flatMap((text) => [...text.matchAll(/(?:from |import\()["']([^"']+)/g)].map(([, name]) => name!))
  assert.ok(named.includes('@mikro-orm/core'))
  assert.deepEqual(named.filter((name) => Object.hasOwn(peerDependenciesMeta, name)), [])
}

/** All declarations of the app's packages included. */
async function compile (driver: string, types: string[]): Promise<void> {
  const folder = project(
    { teardown: (remove) => made.push(remove) },
    packagesOf([`@mikro-orm/${driver}`, '@mikro-orm/migrations', '@types/node', ...types])
  )
  const installed = join(folder, 'node_modules', 'fastify-jwt-accounts')
  cpSync(dist, join(installed, 'dist'), { recursive: true })
  cpSync(join(root, 'package.json'), join(installed, 'package.json'))
  cpSync(join(root, 'test', 'whole', 'consumer', 'app.ts'), join(folder, 'app.ts'))
  writeFileSync(join(folder, 'orm.ts'), ownOrm(driver))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')

  const options = '--target es2024 --module nodenext --types node --strict --noEmit --preserveSymlinks'.split(' ')
  const { stdout } = await run(...options, join(folder, 'app.ts'), join(folder, 'orm.ts')).catch((failed) => failed)
  assert.deepEqual(stdout.split('\n').filter((line: string) => line !== '' && !notOurs.test(line)), [])
}
