import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'

const root = join(import.meta.dirname, '..')

/** Without what the test runner puts into the environment of every child: it would look into npm and the compiler too, for a minute. */
const { PATH, HOME } = process.env
const run = (...command: string[]) => promisify(execFile)('env', ['-i', `PATH=${PATH}`, `HOME=${HOME}`, ...command], { cwd: root })
const compilerOptions = {
  target: 'es2024', module: 'nodenext', types: ['node'], strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, noEmit: true, skipLibCheck: true,
}

const preamble = `import accounts, { type AccountsOptions } from 'fastify-jwt-accounts'
import { Type } from '@sinclair/typebox'
import Fastify from 'fastify'
const app = Fastify()
export type { AccountsOptions, Type }
`

/** The TypeScript of the documents, each piece as a file of its own. Those that begin by making an app need nothing before. */
function snippets (): string[] {
  const pages = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)]
  const found = pages.flatMap((page) => [...readFileSync(join(root, page), 'utf8').matchAll(/^```ts\n([^]+?)^```/gm)].map((match) => match[1]!))
  return found.map((snippet) => snippet.includes('= Fastify(') ? snippet : preamble + snippet)
}

t.test('an app, and every snippet of the documents, compiles against the packed package, with its own types for users and claims', async (t) => {
  const folder = t.testdir({})
  const installed = join(folder, 'node_modules', 'fastify-jwt-accounts')
  mkdirSync(installed, { recursive: true })
  await run('npm', 'run', 'build')
  await run('npm', 'pack', '--ignore-scripts', '--pack-destination', folder)
  await run('tar', '-xzf', join(folder, 'fastify-jwt-accounts-0.1.0.tgz'), '-C', installed, '--strip-components=1')
  cpSync(join(root, 'test', 'consumer', 'app.ts'), join(folder, 'app.ts'))
  t.ok(snippets().length >= 4)
  snippets().forEach((snippet, index) => writeFileSync(join(folder, `snippet-${index}.ts`), `${snippet}\nexport {}\n`))
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')

  const { stdout } = await run(process.execPath, join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', folder).catch((failed) => failed)
  t.equal(stdout, '')
})
