import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { run } from '../../lib/cli/run.ts'
import { held } from './held.ts'

export const main = join(import.meta.dirname, '..', '..', 'lib', 'cli', 'main.ts')

/** Where and how the command line is run. */
export interface Surroundings {
  cwd: string
  /** What is piped in. */
  input?: string
  env?: Record<string, string>
}

/** Whatever the machine of the test has set. */
const none = { JWT_SECRET_KEY: '', ACCOUNTS_DATABASE_URL: '', ACCOUNTS_SMTP_URL: '', NODE_ENV: '' }

/**
 * Runs the real process, and gives what it prints. What the test runner puts into the environment would take it
 * seconds.
 */
export async function spawned (args: string[], { cwd, input = '', env = {} }: Surroundings) {
  const child = spawn(process.execPath, [main, ...args], { cwd, env: { PATH: process.env.PATH, ...none, ...env } })
  child.stdin.on('error', () => {}).end(input)
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code: code as number, stdout: stdout.trimEnd(), stderr: stderr.trimEnd() }
}

let before: Promise<unknown> = Promise.resolve()

/**
 * Does in this process what the other would: one after the other, since a process has one folder and one environment.
 */
export function cli (args: string[], surroundings: Surroundings): ReturnType<typeof spawned> {
  const answer = before.then(() => within(args, surroundings))
  before = answer
  return answer
}

async function within (args: string[], { cwd, input = '', env = {} }: Surroundings) {
  const [folder, environment] = [process.cwd(), process.env]
  process.chdir(cwd)
  process.env = { ...environment, ...none, ...env }
  const io = held()
  io.stdin.end(input)
  try {
    const code = await run(args, io)
    return { code, stdout: io.stdout.text().trimEnd(), stderr: io.stderr.text().trimEnd() }
  } finally {
    process.chdir(folder)
    process.env = environment
  }
}

/** What it prints with --json, read. */
export async function json (args: string[], surroundings: Surroundings) {
  const { code, stdout, stderr } = await cli([...args, '--json'], surroundings)
  return { code, ...JSON.parse(stdout || stderr) }
}
