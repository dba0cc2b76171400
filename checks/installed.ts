// Installs the packed package from the registry, as the README says, and uses it as its users do, on Node 22 and 24.
import { execFile, spawn } from 'node:child_process'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const root = join(import.meta.dirname, '..')
const mostMs = 600_000
/** A registry and a proxy may stand in it; the folder of this checkout must not. */
const { npm_config_local_prefix: _, ...environment } = process.env
const run = async (cwd: string, path: string, command: string, ...args: string[]) =>
  (await promisify(execFile)(command, args, { cwd, timeout: mostMs, env: { ...environment, PATH: path } })).stdout

const page = (name: string) => readFileSync(join(root, name), 'utf8')
const snippetOf = (name: string, start: string) =>
  page(name)
    .split('```ts\n')
    .find((part) => part.startsWith(start))!
    .split('```')[0]!

const folder = mkdtempSync(join(tmpdir(), 'accounts-'))
const { PATH = '' } = process.env
try {
  await run(root, PATH, 'npm', 'run', 'build')
  await run(root, PATH, 'npm', 'pack', '--ignore-scripts', '--pack-destination', folder)
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  const packages = /^npm install fastify-jwt-accounts (.+)$/m.exec(page('README.md'))![1]!.split(' ')
  await run(folder, PATH, 'npm', 'install', '--no-audit', '--no-fund', './fastify-jwt-accounts-0.1.0.tgz', ...packages)
  writeFileSync(join(folder, 'app.ts'), snippetOf('README.md', 'import Fastify').replace('port: 3000', 'port: 0'))
  writeFileSync(join(folder, 'app.test.ts'), snippetOf('docs/testing.md', 'import { test }'))

  for (const version of ['22', '24']) {
    const home = join(folder, `node-${version}`)
    mkdirSync(home)
    writeFileSync(join(home, 'package.json'), '{ "allowScripts": { "node": true } }')
    await run(home, PATH, 'npm', 'install', '--no-audit', '--no-fund', `node@${version}`)
    await useOn([join(home, 'node_modules', '.bin'), PATH].join(delimiter), version)
    console.log(`The package works on Node ${version}.`)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function useOn (path: string, version: string): Promise<void> {
  assert.match(await run(folder, path, 'node', '--version'), new RegExp(`^v${version}\\.`))
  const bin = (...args: string[]) =>
    run(folder, path, join(folder, 'node_modules', '.bin', 'fastify-jwt-accounts'), ...args)
  assert.equal(Buffer.from(await bin('secret'), 'base64').length, 48)
  await quickStart(path)
  assert.match(await bin('user', 'list'), /ada/)
  assert.match(await bin('doctor'), /0 errors/)
  await run(folder, path, 'node', '--test', 'app.test.ts')
  rmSync(join(folder, 'accounts.sqlite'))
}

async function quickStart (path: string): Promise<void> {
  const server = spawn('node', ['app.ts'], { cwd: folder, env: { PATH: path } })
  try {
    let log = ''
    while (!log.includes('listening at')) {
      log += (await once(server.stdout, 'data', { signal: AbortSignal.timeout(mostMs) }))[0]
    }
    const api = /http:\/\/127\.0\.0\.1:\d+/.exec(log)![0]
    const body = JSON.stringify({ username: 'ada', password: 'correct horse battery staple' })
    const registered = await fetch(`${api}/auth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    const { access_token: token } = (await registered.json()) as { access_token: string }
    assert.equal((await fetch(`${api}/me`, { headers: { authorization: `Bearer ${token}` } })).status, 200)
    assert.equal((await fetch(`${api}/me`)).status, 401)
  } finally {
    server.kill()
    await once(server, 'exit')
  }
}
