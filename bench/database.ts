import { randomUUID } from 'node:crypto'
import { rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answers, open, servers, type Kind, type Sql } from '../test/support/databases.ts'

/** As people write it. */
const names: Record<Kind, string> = { sqlite: 'SQLite', postgresql: 'PostgreSQL', mariadb: 'MariaDB' }

/** The databases that there are. */
export const kinds = Object.keys(names) as Kind[]

export function nameOf (kind: Kind): string {
  return names[kind]
}

/** An empty database. */
export interface Place {
  db: string
  /** How much of the disk its sessions take; of a file all that is in it. */
  bytes: (sql: Sql) => Promise<number>
  drop: () => Promise<void>
}

/** Makes one, or nothing where there is no such server. */
export async function place (kind: Kind): Promise<Place | undefined> {
  const name = `accounts_bench_${randomUUID().replaceAll('-', '')}`
  if (kind === 'sqlite') {
    const db = join(tmpdir(), `${name}.sqlite`)
    return {
      db,
      bytes: async () => statSync(db).size,
      drop: async () => ['', '-wal', '-shm'].forEach((end) => rmSync(db + end, { force: true })),
    }
  }

  if (!await answers(kind)) return
  const server = open(servers[kind])
  await server.run(`create database ${name}`)
  const size = kind === 'postgresql'
    ? "select sum(pg_total_relation_size(oid)) as n from pg_class where relname = 'accounts_sessions'"
    : `select data_length + index_length as n from information_schema.tables
      where table_schema = '${name}' and table_name = 'accounts_sessions'`
  return {
    db: Object.assign(new URL(servers[kind]), { pathname: `/${name}` }).href,
    bytes: async (sql) => Number((await sql.get(size))!.n),
    async drop () {
      await server.run(`drop database ${name}${kind === 'postgresql' ? ' with (force)' : ''}`)
      await server.close()
    },
  }
}
