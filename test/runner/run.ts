// `npm test`: hands tap what there is to run. Flags are tap's; who names no file gets all of the database at hand.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { planOf, testFiles } from './plan.ts'
import { interrupted, writeProcesses } from './processes.ts'

const root = join(import.meta.dirname, '..', '..')
const folder = join('.tap', 'processes')

const given = process.argv.slice(2)
const namesFiles = given.some((word) => !word.startsWith('-') && /[./]/.test(word))
// Hundreds of processes load the same files: what the first of them has compiled the others need not.
const env = { ...process.env, NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'tests') }
const tap = spawn('tap', ['run', ...given, ...namesFiles ? [] : everything()], { cwd: root, env, stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => tap.kill(signal))
tap.on('exit', (code) => {
  process.exitCode = code ?? 1
  if (!namesFiles) for (const words of interrupted(root, folder)) console.error(words)
})

function everything (): string[] {
  const { TEST_DATABASE: database = 'sqlite', TEST_ALL_ROUNDS: trials } = process.env
  return writeProcesses(root, folder, planOf(testFiles(root), { database, trials: trials !== undefined }))
}
