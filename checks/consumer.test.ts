// `npm run check:consumer`: builds the package, and compiles and runs apps against it.
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'

const root = join(import.meta.dirname, '..')

/**
 * Without what the test runner puts into the environment of every child: it would look into npm and the compiler too,
 * for a minute.
 */
const { PATH, HOME } = process.env
const run = (...command: string[]) =>
  promisify(execFile)('env', ['-i', `PATH=${PATH}`, `HOME=${HOME}`, ...command], { cwd: root })
const compilerOptions = {
  target: 'es2024',
  module: 'nodenext',
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noEmit: true,
  skipLibCheck: true,
}

const preamble = `import accounts, { type AccountsOptions } from 'fastify-jwt-accounts'
import { Type } from '@sinclair/typebox'
import Fastify from 'fastify'
const app = Fastify()
export type { AccountsOptions, Type }
`

/** The tests that docs/testing.md shows, which are JavaScript too. */
const testing = readFileSync(join(root, 'docs', 'testing.md'), 'utf8').split('```ts\n')[1]!.split('```')[0]!

/**
 * The TypeScript of the documents, each piece as a file of its own. Those that make an app, or are a module of their
 * own, need nothing before. The app on NestJS has decorators: test/whole/neighbours/nest.test.ts compiles it as NestJS
 * does.
 */
function snippets (): string[] {
  const names = readdirSync(join(root, 'docs')).filter((name) => name !== 'nestjs.md')
  const pages = ['README.md', ...names.map((name) => `docs/${name}`)]
  const found = pages.flatMap((page) =>
    [...readFileSync(join(root, page), 'utf8').matchAll(/^```ts\n([^]+?)^```/gm)].map((match) => match[1]!)
  )
  return found.map((snippet) => /= Fastify\(|^export default/m.test(snippet) ? snippet : preamble + snippet)
}

t.test(
  'an app, and every snippet of the documents, compiles against the packed package, with its own types for users and claims',
  async (t) => {
    const folder = t.testdir({})
    const installed = join(folder, 'node_modules', 'fastify-jwt-accounts')
    mkdirSync(installed, { recursive: true })
    await run('npm', 'run', 'build')
    await run('npm', 'pack', '--ignore-scripts', '--pack-destination', folder)
    await run('tar', '-xzf', join(folder, 'fastify-jwt-accounts-0.1.0.tgz'), '-C', installed, '--strip-components=1')
    for (const name of ['app.ts', 'typebox.ts']) { cpSync(join(root, 'test', 'whole', 'consumer', name), join(folder, name)) }
    t.ok(snippets().length >= 4)
    snippets().forEach((snippet, index) =>
      writeFileSync(join(folder, `snippet-${index}.ts`), `${snippet}\nexport {}\n`)
    )
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')

    const { stdout } = await run(
      process.execPath,
      join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
      '-p',
      folder
    ).catch((failed) => failed)
    t.equal(stdout, '')

    for (const name of readdirSync(join(root, 'node_modules'))) {
      if (!name.startsWith('.')) symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
    }
    const bin = (...args: string[]) =>
      run(
        'sh',
        '-c',
        'cd "$0" && "$@"',
        folder,
        process.execPath,
        join(installed, 'dist', 'lib', 'cli', 'main.js'),
        ...args
      )
    t.equal(Buffer.from((await bin('secret')).stdout, 'base64').length, 48)
    t.match((await bin('doctor')).stdout, /\n0 errors, /)
    writeFileSync(join(folder, 'app.test.js'), testing)
    t.match(
      (await run('sh', '-c', 'cd "$0" && "$1" --test --test-reporter=tap app.test.js', folder, process.execPath))
        .stdout,
      /^# pass 2$/m
    )

    cpSync(join(root, 'test', 'whole', 'consumer', 'loaded.ts'), join(folder, 'loaded.ts'))
    const started = await run('sh', '-c', 'cd "$0" && "$1" loaded.ts', folder, process.execPath)
    const { files, plan, refused, isOne } = JSON.parse(started.stdout)
    const ours = files.filter((file: string) => file.includes('/fastify-jwt-accounts/dist/'))
    t.ok(ours.length > 0 && ours.length <= 7, 'an app loads few files of the package')
    t.strictSame(files.filter((file: string) => /node_modules\/(@sinclair|uuid|@node-rs)\//.test(file)), [])
    t.equal(plan, 'free')
    t.match(refused, /npm install @mikro-orm\/sqlite@7\.\d+\.\d+ @mikro-orm\/migrations@7/)
    t.ok(isOne, 'an error is of one class, whichever entry of the package throws it')
  }
)

t.test('the package holds what its users need, and nothing else', async (t) => {
  const { stdout } = await run('npm', 'pack', '--dry-run', '--json', '--ignore-scripts')
  const packed: string[] = JSON.parse(stdout)[0].files.map(({ path }: { path: string }) => path)
  const sources = ['lib', 'types']
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name))
    )
    .filter((name) => name.endsWith('.ts'))
  const declared = sources.map((name) => `dist/${name.replace(/ts$/, 'd.ts')}`)
  const entries = ['index', 'testing', 'providers', 'client/index', 'cli/main'].map((name) => `dist/lib/${name}.js`)
  const licenses = ['typebox', 'uuid'].map((name) => `dist/licenses/${name}.txt`)
  const [chunks, others] = [true, false].map((isChunk) =>
    packed.filter((name) => /^dist\/lib\/chunks\/[a-z-]+-[A-Z0-9]{8}\.js$/.test(name) === isChunk))
  const migrations = chunks!.filter((name) => name.includes('/migrations-'))
  t.equal(migrations.length, 3, 'a file for each family of databases')
  const pages = readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)
  t.strictSame(
    others!.toSorted(),
    [...declared, ...entries, ...licenses, ...pages, 'CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'].toSorted()
  )
})
