import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** A PostgreSQL of one's own, which may be ended as a power cut would. */
export interface Cluster {
  url: string
  start: () => Promise<void>
  /** Ends every process of it at once, in the middle of what they do. */
  stop: () => Promise<void>
  remove: () => Promise<void>
}

const run = promisify(execFile)

async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** PostgreSQL refuses to run as root: then it is the user `postgres` who runs it. */
const isRoot = process.getuid?.() === 0
const asOwner = (command: string, args: string[]): [string, string[]] => isRoot ? ['runuser', ['-u', 'postgres', '--', command, ...args]] : [command, args]

/** Makes a cluster in a folder of its own. It needs the programs `initdb` and `pg_ctl`, where `pg_config` says they are. */
export async function createCluster (): Promise<Cluster> {
  const programs = process.env.POSTGRESQL_BIN || execFileSync('pg_config', ['--bindir'], { encoding: 'utf8' }).trim()
  const folder = mkdtempSync(join(tmpdir(), 'accounts-cluster-'))
  if (isRoot) chownSync(folder, Number(execFileSync('id', ['-u', 'postgres'])), -1)
  const data = join(folder, 'data')
  const ask = async (program: string, ...args: string[]) => { await run(...asOwner(join(programs, program), args), { cwd: folder }) }

  const port = await freePort()
  await ask('initdb', '--pgdata', data, '--auth', 'trust', '--username', 'postgres', '--no-sync', '--encoding', 'UTF8')
  appendFileSync(join(data, 'postgresql.conf'), `port = ${port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '${folder}'\n`)

  const stop = () => ask('pg_ctl', '--pgdata', data, '--mode', 'immediate', '--wait', 'stop')
  return {
    url: `postgresql://postgres@127.0.0.1:${port}/postgres`,
    start: () => ask('pg_ctl', '--pgdata', data, '--log', join(folder, 'log'), '--wait', 'start'),
    stop,
    async remove () {
      if (existsSync(join(data, 'postmaster.pid'))) await stop()
      rmSync(folder, { recursive: true })
    },
  }
}
