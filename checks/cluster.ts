import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, chownSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
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
  /** Ends every process of it with a signal that none of them sees. */
  kill: () => void
  /** A base backup of it, as a cluster that is not started. */
  backup: () => Promise<Cluster>
  /** A standby that streams from it asynchronously, by way of this URL, and is not started. */
  standby: (by: string) => Promise<Cluster>
  /** Makes a standby a primary. */
  promote: () => Promise<void>
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
const asOwner = (command: string, args: string[]): [string, string[]] =>
  isRoot ? ['runuser', ['-u', 'postgres', '--', command, ...args]] : [command, args]

/** Puts the data of a cluster into this folder, which is not there yet. */
type Fill = (ask: (program: string, ...args: string[]) => Promise<void>, data: string) => Promise<void>

/** Makes an empty cluster in a folder of its own. It needs PostgreSQL's programs, where `pg_config` says they are. */
export function createCluster (): Promise<Cluster> {
  return fillCluster((ask, data) =>
    ask('initdb', '--pgdata', data, '--auth', 'trust', '--username', 'postgres', '--no-sync', '--encoding', 'UTF8')
  )
}

async function fillCluster (fill: Fill): Promise<Cluster> {
  const programs = process.env.POSTGRESQL_BIN || execFileSync('pg_config', ['--bindir'], { encoding: 'utf8' }).trim()
  const folder = mkdtempSync(join(tmpdir(), 'accounts-cluster-'))
  if (isRoot) chownSync(folder, Number(execFileSync('id', ['-u', 'postgres'])), -1)
  const data = join(folder, 'data')
  const ask = async (program: string, ...args: string[]) => {
    await run(...asOwner(join(programs, program), args), { cwd: folder })
  }

  const port = await freePort()
  const url = `postgresql://postgres@127.0.0.1:${port}/postgres`
  await fill(ask, data)
  // The last line counts: a copy has those of its original before them.
  appendFileSync(
    join(data, 'postgresql.conf'),
    `port = ${port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '${folder}'\n`
  )

  const control = (...args: string[]) => ask('pg_ctl', '--pgdata', data, '--wait', ...args)
  const start = () => control('--log', join(folder, 'log'), 'start')
  const stop = () => control('--mode', 'immediate', 'stop')
  const copy = (from: string, ...args: string[]) =>
    fillCluster((ask, data) =>
      ask('pg_basebackup', '--pgdata', data, '--dbname', from, '--checkpoint', 'fast', '--no-sync', ...args)
    )

  let isKilled = false
  return {
    url,
    start,
    stop,
    kill () {
      const postmaster = Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n', 1)[0])
      const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(postmaster)], { encoding: 'utf8' })
        .split('\n')
        .map(Number)
        .filter(Boolean)
      for (const pid of [postmaster, ...children]) end(pid)
      isKilled = true
    },
    backup: () => copy(url),
    standby: (by) => copy(by, '--write-recovery-conf'),
    promote: () => control('promote'),
    async remove () {
      // Who was killed has left shared memory behind, which its next start takes up.
      if (isKilled) await start()
      if (existsSync(join(data, 'postmaster.pid'))) await stop()
      rmSync(folder, { recursive: true })
    },
  }
}

/** One that has ended by itself meanwhile needs no end. */
function end (pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
