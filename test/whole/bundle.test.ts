// In a process of its own: it waits for compilers.
import { execFile } from 'node:child_process'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build, type BuildOptions } from 'esbuild'
import t from 'tap'
import { packagesOf, project } from '../support/project.ts'

const root = join(import.meta.dirname, '..', '..')

/** In a bundle of modules, what is none asks for the packages of Node by `require`. */
const formats: Record<string, BuildOptions> = {
  esm: {
    format: 'esm',
    outfile: 'app.mjs',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)" },
  },
  cjs: { format: 'cjs', outfile: 'app.cjs' },
}

for (const [name, format] of Object.entries(formats)) {
  t.test(
    `an app in one file (${name}), with nothing but native packages beside it, does what it does in many`,
    async (t) => {
      const folder = project(t, packagesOf(['@mikro-orm/sqlite', '@mikro-orm/migrations']))
      const installed = join(folder, 'node_modules', 'fastify-jwt-accounts')
      await promisify(execFile)(process.execPath, [join(root, 'checks', 'bundle.ts'), join(installed, 'dist')])
      cpSync(join(root, 'package.json'), join(installed, 'package.json'))
      cpSync(join(root, 'test', 'whole', 'consumer', 'bundled.ts'), join(folder, 'app.ts'))

      const { warnings } = await build({
        ...format,
        absWorkingDir: folder,
        entryPoints: ['app.ts'],
        bundle: true,
        platform: 'node',
        target: 'node22',
        external: ['argon2', 'better-sqlite3'],
        preserveSymlinks: true,
        logLevel: 'silent',
      })
      t.strictSame(warnings, [])
      const { stdout } = await promisify(execFile)(process.execPath, [join(folder, format.outfile!)])
      const [registered, common, guarded, elsewhere] = stdout.split('\n')
      t.equal(registered, '201')
      t.equal(common, 'ACCOUNTS_PASSWORD_REJECTED')
      t.equal(guarded, 'ada')
      t.match(
        elsewhere,
        /^ACCOUNTS_OPTIONS_INVALID .* npm install @mikro-orm\/mysql@7\.\d+\.\d+ @mikro-orm\/migrations@7/
      )
    }
  )
}
