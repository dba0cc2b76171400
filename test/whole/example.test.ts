// In a process of its own, for 10 s: it starts the example.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { startByNpm, startExample } from './example/run.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..', '..')

/** Starts the example in an empty folder, and gives what it prints. */
async function start (t: Test) {
  const example = await startExample(t.testdir({}))
  t.teardown(() => example.server.kill())
  return example
}

t.test('the tour that the example prints goes all the way, twice', async (t) => {
  const { printed } = await start(t)
  const tour = printed.slice(printed.indexOf('api='))
  for (let round = 0; round < 2; round++) {
    const { stdout } = await run('sh', ['-c', tour])
    const statuses = [201, 200, 200, 200, 204, 401, 202, 204]
    t.same(stdout.match(/^\d{3} /gm), statuses.map((status) => `${status} `))
    t.match(stdout, /\{"message":"Hello ada-\d+"\}\n200/)
    t.match(stdout, /ACCOUNTS_TOKEN_REVOKED.*\n401/)
    await new Promise((resolve) => setTimeout(resolve, 1100))
  }
})

t.test('the example has its API reference at /docs, and ends when it is told to', async (t) => {
  const { api, server } = await start(t)
  t.match(await (await fetch(`${api}/docs`)).text(), /swagger-ui/)
  const { paths } = await (await fetch(`${api}/docs/json`)).json() as { paths: object }
  t.strictSame(Object.keys(paths), [
    '/auth/register', '/auth/login', '/auth/reauthenticate', '/auth/password', '/auth/refresh', '/auth/logout',
    '/auth/sessions', '/auth/sessions/{id}', '/auth/me', '/auth/password/forgot', '/auth/password/reset',
    '/auth/me/export', '/auth/invitations', '/auth/invitations/{id}', '/auth/invitations/{id}/send',
    '/auth/invitations/show', '/auth/invitations/accept', '/auth/email/verify/send', '/auth/email/verify',
    '/auth/email/disown', '/auth/email', '/auth/email/change', '/auth/email/revert', '/auth/factors',
    '/auth/factors/verify', '/auth/factors/recovery-codes', '/auth/factors/totp', '/auth/passkeys/options',
    '/auth/passkeys/login', '/auth/passkeys', '/auth/passkeys/{id}', '/secret',
  ])

  server.kill('SIGTERM')
  t.same(await once(server, 'exit'), [0, null])
})

t.test('whoever ends npm start ends the server', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const { api, server } = await startByNpm(join(t.testdir({}), 'accounts.sqlite'))
    // Whatever becomes of it, and of what it has started.
    t.teardown(() => { try { process.kill(-server.pid!, 'SIGKILL') } catch {} })
    server.kill(signal)
    await once(server, 'exit')
    await t.rejects(fetch(api), { cause: { code: 'ECONNREFUSED' } }, signal)
  }
})

t.test('an install of the package runs nothing of it, and asks for no leave to', async (t) => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  for (const name of ['preinstall', 'install', 'postinstall', 'prepublish', 'preprepare', 'prepare', 'postprepare']) { t.notOk(name in scripts, name) }
})
