import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { chromium } from 'playwright-core'
import { freePort } from '../../support/free-port.ts'

const root = join(import.meta.dirname, '..', '..', '..')

/** Passkeys are for one origin, so the example has to know its port before it listens. */
const port = async () => String(await freePort())

/** Starts the example in a folder, and gives what it prints. */
export async function startExample (folder: string, env: NodeJS.ProcessEnv = {}) {
  return started(spawn(process.execPath, [join(root, 'example', 'server.ts')], {
    cwd: folder, env: { PATH: process.env.PATH, PORT: await port(), ...env }, stdio: ['ignore', 'pipe', 'inherit'],
  }))
}

/** Starts it as the README says, in a process group of its own. */
export async function startByNpm (database: string) {
  const { PATH, HOME } = process.env
  return started(
    spawn('npm', ['start'], {
      cwd: root,
      env: { PATH, HOME, PORT: await port(), ACCOUNTS_DATABASE_URL: database },
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    })
  )
}

async function started (server: ChildProcessByStdio<null, Readable, null>) {
  let printed = ''
  while (!printed.includes('/secret -H')) {
    const [said] = await Promise.race([once(server.stdout, 'data'), once(server, 'exit')])
    if (server.exitCode !== null) throw new Error('The example has ended before it was there')
    printed += said
  }
  return { server, printed, api: /http:\/\/localhost:\d+/.exec(printed)![0] }
}

/** Without these it asks hosts of its maker's at every start, and cannot run as root. */
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A browser; the hosts below `.test` are this machine: with `https`, that port of it, and any certificate will do. */
export function launchChromium ({ https }: { https?: number } = {}) {
  const { CHROMIUM: executablePath = '/usr/bin/chromium' } = process.env
  if (!existsSync(executablePath)) {
    throw new Error(
      `There is no Chromium at ${executablePath}: install one (apt-get install chromium), or say in CHROMIUM where yours is`
    )
  }
  const args = [
    ...flags,
    `--host-resolver-rules=MAP *.test 127.0.0.1${https === undefined ? '' : `:${https}`}`,
    ...https === undefined ? [] : ['--ignore-certificate-errors'],
  ]
  return chromium.launch({ executablePath, args, timeout: 300_000 })
}
