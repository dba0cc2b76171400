import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { runInNewContext } from 'node:vm'
import createError from '@fastify/error'
import Database from 'better-sqlite3'
import { build } from 'esbuild'
import t from 'tap'
import { isError } from '../../lib/checks/any-error.ts'
import { isPlainObject } from '../../lib/checks/plain-object.ts'
import { same, usualTour } from './neighbours/tour.ts'

t.test(
  'an app in another realm, as in Jest and in the vm pools of vitest, does what it does in this one',
  async (t) => {
    const outfile = join(t.testdir({}), 'app.cjs')
    await build({
      entryPoints: [join(import.meta.dirname, 'realm', 'app.ts')],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      external: ['argon2', 'better-sqlite3', '@node-rs/*'],
      logLevel: 'silent',
    })
    const { stdout } = await promisify(execFile)(process.execPath, [
      join(import.meta.dirname, 'realm', 'run.ts'),
      outfile,
    ])
    const { stops, foreign } = JSON.parse(stdout)

    same(t, stops, JSON.parse(JSON.stringify(await usualTour(t))))
    t.match(foreign, { isForeign: true, refused: { statusCode: 409, message: 'Nobody may' }, expiresIn: 300 })
  }
)

t.test('a plain object is one in every realm, and an instance of something in none', async (t) => {
  for (const value of [
    {},
    Object.create(null),
    runInNewContext('({})'),
    runInNewContext('JSON.parse(\'{ "a": 1 }\')'),
    structuredClone({}),
  ]) { t.equal(isPlainObject(value), true) }
  const others = [
    'new Date()',
    'new Map()',
    '[]',
    '/x/',
    'new Error()',
    'new (class A {})()',
    'Object.create({})',
    'null',
    '1',
    "'{}'",
    '() => {}',
  ]
  for (const text of others) t.equal(isPlainObject(runInNewContext(text)), false, text)
})

t.test('an error is one in every realm, and nothing else is', async (t) => {
  const errors = [
    new Error('no'),
    new TypeError('no'),
    new (createError('CODE', 'no'))(),
    new Database.SqliteError('no', 'SQLITE_FULL'),
    new DOMException('no'),
    ...['new Error()', 'new TypeError()', 'new (class Mine extends Error {})()'].map((text) => runInNewContext(text)),
  ]
  for (const error of errors) t.equal(isError(error), true, String(error))
  const others = [
    { message: 'no', stack: 'no' },
    Object.create(null),
    { constructor: null },
    null,
    undefined,
    'Error',
    Error,
    new Date(),
    runInNewContext('new Map()'),
  ]
  for (const value of others) t.equal(isError(value), false)
})
