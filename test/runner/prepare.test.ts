import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'

const built = 'node_modules/@tapjs/test/test-built/node_modules'
const link = '.tap/plugins/node_modules/@tapjs/core'

/** A checkout with nothing in it but the places that matter, and a `tap` that only tells how often it was to build. */
function checkout (t: Test) {
  const folder = t.testdir({
    test: { runner: {} },
    bin: {},
    node_modules: { '@tapjs': { core: {}, test: { 'test-built': {} } } },
  })
  cpSync(join(import.meta.dirname, 'prepare.ts'), join(folder, 'test', 'runner', 'prepare.ts'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder, 'bin', 'tap'), '#!/bin/sh\necho "$@" >> built\n', { mode: 0o755 })

  const path = [join(folder, 'bin'), process.env.PATH].join(delimiter)
  const builds = async () => {
    await promisify(execFile)(process.execPath, [join(folder, 'test', 'runner', 'prepare.ts')], {
      cwd: folder,
      env: { PATH: path },
    })
    return readFileSync(join(folder, 'built'), 'utf8')
  }

  /** What `tap build` leaves behind, made in this or another folder. */
  const make = (there = folder) => {
    rmSync(join(folder, link), { force: true })
    mkdirSync(dirname(join(folder, link)), { recursive: true })
    symlinkSync(join(there, 'node_modules', '@tapjs', 'core'), join(folder, link))
    rmSync(join(folder, built), { force: true })
    symlinkSync('../../../../.tap/plugins/node_modules', join(folder, built))
  }
  return { folder, builds, make }
}

t.test('the test runner is made once after an install', async (t) => {
  const { folder, builds, make } = checkout(t)
  t.equal(await builds(), 'build\n')
  make()
  t.equal(await builds(), 'build\n')
  rmSync(join(folder, built))
  t.equal(await builds(), 'build\nbuild\n', 'another install took away what was made in it')
})

t.test('in a checkout that was copied it is made anew, whether the other is still there or not', async (t) => {
  const { folder, builds, make } = checkout(t)
  make('/nowhere')
  t.equal(await builds(), 'build\n')
  mkdirSync(join(folder, 'other', 'node_modules', '@tapjs', 'core'), { recursive: true })
  make(join(folder, 'other'))
  t.equal(await builds(), 'build\nbuild\n')
})
