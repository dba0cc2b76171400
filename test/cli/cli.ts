import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

const main = join(import.meta.dirname, '..', '..', 'lib', 'cli', 'main.ts')

/** Where and how the command line is run. */
export interface Surroundings {
  cwd: string
  /** What is piped in. */
  input?: string
  env?: NodeJS.ProcessEnv
  /** A module that Node loads before. */
  preload?: string
}

/** Without what the machine of the test may have set, and with what the test runner needs to see which lines run. */
export const environment = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv =>
  ({ ...process.env, JWT_SECRET_KEY: '', ACCOUNTS_DATABASE_URL: '', NODE_ENV: '', ...more })

/** Runs the real process, and gives what it prints. */
export async function cli (args: string[], { cwd, input = '', env, preload }: Surroundings) {
  const command = [...preload ? ['--import', preload] : [], main, ...args]
  const child = spawn(process.execPath, command, { cwd, env: environment(env) })
  child.stdin.on('error', () => {}).end(input)
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code: code as number, stdout: stdout.trimEnd(), stderr: stderr.trimEnd() }
}

/** The same with --json, read. */
export async function json (args: string[], surroundings: Surroundings) {
  const { code, stdout, stderr } = await cli([...args, '--json'], surroundings)
  return code === 0 || stdout ? { code, ...JSON.parse(stdout) } : { code, ...JSON.parse(stderr) }
}
