import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

/** Starts the example in a folder, and gives what it prints. */
export async function startExample (folder: string, env: NodeJS.ProcessEnv = {}) {
  const server = spawn(process.execPath, [join(import.meta.dirname, '..', '..', 'example', 'server.ts')], {
    cwd: folder, env: { PATH: process.env.PATH, PORT: '0', ...env }, stdio: ['ignore', 'pipe', 'inherit'],
  })
  let printed = ''
  while (!printed.includes('/secret -H')) {
    const [said] = await Promise.race([once(server.stdout, 'data'), once(server, 'exit')])
    if (server.exitCode !== null) throw new Error('The example has ended before it was there')
    printed += said
  }
  return { server, printed, api: /http:\/\/localhost:\d+/.exec(printed)![0] }
}

/** Without these it asks hosts of its maker's at every start, and cannot run as root. */
const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']

export function launchChromium () {
  const { CHROMIUM: executablePath = '/usr/bin/chromium' } = process.env
  if (!existsSync(executablePath)) {
    throw new Error(`There is no Chromium at ${executablePath}: install one (apt-get install chromium), or say in CHROMIUM where yours is`)
  }
  return chromium.launch({ executablePath, args: flags })
}
