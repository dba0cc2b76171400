import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answers, open, servers } from '../test/support/databases.ts'

export type BenchKind = 'sqlite' | 'postgresql'

/** As people write it. */
export function nameOf (kind: BenchKind): string {
  return kind === 'sqlite' ? 'SQLite' : 'PostgreSQL'
}

/** An empty database, and how to be rid of it; nothing where there is no such server. */
export async function place (kind: BenchKind): Promise<{ db: string, drop: () => Promise<void> } | undefined> {
  const name = `accounts_bench_${randomUUID().replaceAll('-', '')}`
  if (kind === 'sqlite') {
    const db = join(tmpdir(), `${name}.sqlite`)
    return { db, drop: async () => ['', '-wal', '-shm'].forEach((end) => rmSync(db + end, { force: true })) }
  }

  if (!await answers(kind)) return
  const server = open(servers[kind])
  await server.run(`create database ${name}`)
  return {
    db: Object.assign(new URL(servers[kind]), { pathname: `/${name}` }).href,
    async drop () {
      await server.run(`drop database ${name} with (force)`)
      await server.close()
    },
  }
}
