// In a process of its own: it waits for compilers.
import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { packagesOf, project } from '../support/project.ts'

const root = join(import.meta.dirname, '..', '..')
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')

// Five times the compiler, which takes its time where others want the processor too.
t.setTimeout(1_800_000)

/** Without what the test runner puts into the environment of every child. */
const { PATH, HOME } = process.env
const run = (...command: string[]) =>
  promisify(execFile)('env', ['-i', `PATH=${PATH}`, `HOME=${HOME}`, ...command], { cwd: root })

/** The declarations, as the package has them. */
const dist = mkdtempSync(join(tmpdir(), 'accounts-declarations-'))
t.teardown(() => rmSync(dist, { recursive: true }))
await run(process.execPath, tsc, '-p', 'tsconfig.build.json', '--outDir', dist)

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

t.test('no declaration names a package that an app need not have', async (t) => {
  const { peerDependenciesMeta }: { peerDependenciesMeta: object } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8')
  )
  const texts = readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.d.ts'))
    .map((name) => readFileSync(join(dist, name), 'utf8'))
  const named = texts.flatMap((text) => [...text.matchAll(/(?:from |import\()["']([^"']+)/g)].map(([, name]) => name!))
  t.ok(named.includes('@mikro-orm/core'))
  t.strictSame(named.filter((name) => Object.hasOwn(peerDependenciesMeta, name)), [])
})

for (const [driver, types] of Object.entries(drivers)) {
  t.test(
    `an app that has installed the driver of ${driver} alone compiles, all declarations of its packages included`,
    async (t) => {
      const folder = project(t, packagesOf([`@mikro-orm/${driver}`, '@mikro-orm/migrations', '@types/node', ...types]))
      const installed = join(folder, 'node_modules', 'fastify-jwt-accounts')
      cpSync(dist, join(installed, 'dist'), { recursive: true })
      cpSync(join(root, 'package.json'), join(installed, 'package.json'))
      cpSync(join(root, 'test', 'whole', 'consumer', 'app.ts'), join(folder, 'app.ts'))
      writeFileSync(join(folder, 'orm.ts'), ownOrm(driver))
      writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')

      const options = [
        '--target',
        'es2024',
        '--module',
        'nodenext',
        '--types',
        'node',
        '--strict',
        '--noEmit',
        '--preserveSymlinks',
      ]
      const { stdout } = await run(
        process.execPath,
        tsc,
        ...options,
        join(folder, 'app.ts'),
        join(folder, 'orm.ts')
      ).catch((failed) => failed)
      t.strictSame(
        stdout.split('\n').filter((line: string) => line !== '' && !notOurs.test(line)),
        []
      )
    }
  )
}
