import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..')
const compilerOptions = {
  target: 'es2024', module: 'nodenext', types: ['node'], strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, noEmit: true, skipLibCheck: true,
}

t.test('an app compiles against the packed package, with its own types for users and claims', async (t) => {
  const folder = t.testdir({})
  const installed = join(folder, 'node_modules', 'fastify-jwt-accounts')
  mkdirSync(installed, { recursive: true })
  await run('npm', ['pack', '--pack-destination', folder], { cwd: root })
  await run('tar', ['-xzf', join(folder, 'fastify-jwt-accounts-0.1.0.tgz'), '-C', installed, '--strip-components=1'])
  cpSync(join(root, 'test', 'consumer', 'app.ts'), join(folder, 'app.ts'))
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['app.ts'] }))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')

  const { stdout } = await run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', folder]).catch((failed) => failed)
  t.equal(stdout, '')
})
