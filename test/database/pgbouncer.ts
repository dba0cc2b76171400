import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Test } from 'tap'
import { open } from '../support/databases.ts'

/**
 * A PgBouncer of the test's own before this database, in transaction mode, with so many connections for all its
 * clients.
 */
export async function bounced (t: Test, db: string, connections: number): Promise<string> {
  const { PGBOUNCER: path = '/usr/sbin/pgbouncer' } = process.env
  if (!existsSync(path)) {
    throw new Error(
      `There is no PgBouncer at ${path}: install one (apt-get install pgbouncer), or say in PGBOUNCER where yours is`
    )
  }

  const { hostname, port, username, password, pathname } = new URL(db)
  const folder = mkdtempSync(join(tmpdir(), 'bouncer-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  // It refuses to be root, and is somebody who may read this by then.
  chmodSync(folder, 0o755)
  const free = await freePort()
  const file = join(folder, 'pgbouncer.ini')
  writeFileSync(file, `[databases]
* = host=${hostname} port=${port || 5432} user=${username}${password && ` password=${decodeURIComponent(password)}`}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${free}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${connections}
max_client_conn = 200
`)
  const bouncer = spawn(path, [...process.getuid!() === 0 ? ['-u', 'nobody'] : [], file], { stdio: 'ignore' })
  const ended = once(bouncer, 'exit')
  t.teardown(async () => {
    bouncer.kill('SIGKILL')
    await ended
  })

  const url = `postgresql://${username}@127.0.0.1:${free}${pathname}`
  for (const end = Date.now() + 20_000; !await answersAt(url);) {
    if (Date.now() > end || bouncer.exitCode !== null) throw new Error('PgBouncer does not answer')
    await pause(100)
  }
  return url
}

async function answersAt (url: string): Promise<boolean> {
  const sql = open(url)
  const isThere = await sql.get('select 1').then(() => true, () => false)
  await sql.close()
  return isThere
}

async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
