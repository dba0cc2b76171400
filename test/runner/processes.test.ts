// In a process of its own, for 30 s: it waits for one that hangs.
import { execFile } from 'node:child_process'
import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { temporaryFolder } from '../support/folder.ts'
import { interrupted, writeProcesses } from './processes.ts'

const root = join(import.meta.dirname, '..', '..')

/** What tap says of these files in one process, in a project of their own, and what we say of it. */
async function run (t: Test, files: Record<string, string>, ...flags: string[]) {
  const folder = temporaryFolder(t)
  for (const name of ['node_modules', '.taprc', 'package.json']) symlinkSync(join(root, name), join(folder, name))
  for (const [name, source] of Object.entries(files)) {
    writeFileSync(join(folder, name), `import t from 'tap'\n${source}\n`)
  }

  const paths = writeProcesses(folder, 'processes', [Object.keys(files)])
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^_?TAP/.test(name)))
  const args = ['run', '--disable-coverage', '--allow-incomplete-coverage', '--reporter=tap', ...flags, ...paths]
  const { stdout } = await promisify(execFile)('tap', args, { cwd: folder, env }).catch((error) => error)
  return { said: stdout as string, interrupted: interrupted(folder, 'processes') }
}

const right = "t.test('is right', async (t) => t.pass('so'))"

t.test('each file is a test with its name, in which its own tests are', async (t) => {
  const { said, interrupted } = await run(t, {
    'one.ts': right,
    'other.ts': "t.test('is wrong', async (t) => t.fail('not so'))",
    'third.ts': "throw new Error('It cannot be imported')",
    'fourth.ts': "t.teardown(() => console.log('# torn down')); t.test('is right too', async (t) => t.pass('so'))",
  })
  t.match(said, /^ {4}ok \d - one\.ts/m)
  t.match(said, /^ {4}not ok \d - other\.ts/m)
  t.match(said, /^ {8}not ok \d - is wrong/m)
  t.match(said, /^ {8}not ok \d - It cannot be imported/m)
  t.match(said, /^ {4}not ok \d - third\.ts/m)
  t.match(said, /^ {8}ok \d - is right too[^]*# torn down[^]*^ {4}ok \d - fourth\.ts/m)
  t.same(interrupted, [])
})

t.test('what a file leaves behind in the process is told of it, and not of those that follow', async (t) => {
  const { said } = await run(t, {
    'one.ts': "process.env.LEFT = 'behind'; process.on('SIGUSR2', () => {})",
    'other.ts': 'Date.now = () => 0',
    'third.ts': right,
  })
  t.match(said, /^ {4}not ok \d - one\.ts leaves the process as it found it[^]*"LEFT"[^]*"listeners of SIGUSR2"/m)
  t.match(said, /^ {4}not ok \d - other\.ts leaves the process as it found it[^]*"the clocks"/m)
  t.match(said, /^ {4}ok \d - third\.ts leaves the process as it found it/m)
})

const interruptions = {
  'ends the process': "t.test('dies', async () => process.kill(process.pid, 'SIGKILL'))",
  hangs: "t.test('hangs', () => new Promise(() => setInterval(() => {}, 1000)))",
  'waits for nothing': "t.test('waits', () => new Promise(() => {}))",
}

for (const [what, source] of Object.entries(interruptions)) {
  t.test(`a file that ${what} is named, with those that were not run because of it`, async (t) => {
    const files = { 'one.ts': right, 'other.ts': source, 'third.ts': right, 'fourth.ts': right }
    const { said, interrupted } = await run(t, files, `--timeout=${what === 'hangs' ? 20 : 600}`)
    t.match(said, /^ {4}ok \d - one\.ts/m)
    t.match(said, /^not ok 1 - /m)
    t.same(interrupted, ['other.ts did not come to its end. Not run because of that: third.ts, fourth.ts.'])
  })
}
