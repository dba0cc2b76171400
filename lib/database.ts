import { setTimeout as pause } from 'node:timers/promises'
import { MikroORM, UnderscoreNamingStrategy, Utils, type EntityManager } from '@mikro-orm/core'
import type { SqliteConnection } from '@mikro-orm/sqlite'
import { OptionsInvalid, Unavailable } from './errors.ts'
import { isOurs } from './our-error.ts'
import { Revision } from './entities/revision.ts'
import { RevokedToken } from './entities/revoked-token.ts'
import { Session } from './entities/session.ts'
import { User } from './entities/user.ts'
import type { Settings } from './settings.ts'

/** What of better-sqlite3 is needed here. */
interface Sqlite {
  inTransaction: boolean
  prepare: (statement: string) => unknown
}

export interface Database {
  orm: MikroORM
  /**
   * Runs `work` on an entity manager of its own, outside any transaction of the request's. While another process holds
   * the file's lock it is run again and again, so it writes once: in one statement or one transaction.
   * @throws {Unavailable} `ACCOUNTS_UNAVAILABLE` after 10 seconds, and for every failure but a broken unique key
   */
  run: <Result>(work: (em: EntityManager) => Promise<Result>) => Promise<Result>
  /** An entity manager of ours in a transaction of the host's. */
  join: (host: EntityManager) => EntityManager
  /** An entity manager of the host's in a transaction of ours. Absent where ours knows the host's entities, or there is no host's. */
  lend?: (em: EntityManager) => EntityManager
  /** Tells other processes something, once the transaction of `em` is committed. Where the database can. */
  notify?: (em: EntityManager, channel: string) => Promise<void>
  /** Hears what other processes tell: a hint, which may come late or never. Gives what ends it. */
  listen?: (channel: string, onMessage: () => void) => Promise<() => Promise<void>>
  close: () => Promise<void>
}

/** Nothing waits longer than this for the database. */
const mostWaitMs = 10_000

/** The longest pause between two tries on a locked file. */
const mostPauseMs = 250

/** Several processes that boot on one empty database break each other's first migration: all but one try again. */
const mostMigrationTries = 10

/** Options that the host's `MIKRO_ORM_…` variables, meant for its own database, would fill if they were left out. */
const deafToEnvironment = {
  clientUrl: '', schema: '', baseDir: '.', debug: false, forceUndefined: false, forceUtcTimezone: true, timezone: 'Z', implicitTransactions: true,
}

/** The tables of each entity, below the name of the accounts. */
const tables: Record<string, string> = {
  AccountsUser: 'users', AccountsSession: 'sessions', AccountsRevokedToken: 'revoked_tokens', AccountsRevision: 'revision',
}

/** Opens the SQLite file and brings the tables of the accounts `name` up to date. */
export async function openDatabase ({ db: file, name }: Pick<Settings, 'db' | 'name'>): Promise<Database> {
  const { SqliteDriver, Migrator, migrationsOf } = await loadDriver()
  class Naming extends UnderscoreNamingStrategy {
    // Asked for the names of columns too, by those of properties.
    override classToTableName (entity: string) { return tables[entity] ? `${name}_${tables[entity]}` : super.classToTableName(entity) }
  }

  const orm = new MikroORM({
    ...deafToEnvironment,
    driver: SqliteDriver,
    dbName: file,
    entities: [User, Session, RevokedToken, Revision],
    namingStrategy: Naming,
    extensions: [Migrator],
    migrations: { tableName: `${name}_migrations`, migrationsList: migrationsOf(name), transactional: true, snapshot: false, silent: true },
  })

  try {
    await orm.connect()
    const connection = orm.em.getConnection() as SqliteConnection
    // WAL lets readers go on beside a writer; FULL makes a revocation that was acknowledged survive a power cut.
    await connection.execute('pragma journal_mode = wal')
    await connection.execute('pragma synchronous = full')
    await migrate(orm)
    // Waiting for a lock, SQLite would sleep on the event loop, and everybody with it: run() waits instead.
    await connection.execute('pragma busy_timeout = 0')
    forgiveRollbacks(await connection.getNativeClient())
  } catch (cause) {
    await orm.close(true)
    throw new OptionsInvalid(`db (or ACCOUNTS_DATABASE_URL) cannot be used, ${file}: ${(cause as Error).message}`, { cause })
  }

  return {
    orm,
    close: () => orm.close(true),
    join (host) {
      const em = orm.em.fork()
      em.setTransactionContext(host.getTransactionContext())
      return em
    },
    async run (work) {
      const deadline = performance.now() + mostWaitMs
      let longestPauseMs = 5

      for (;;) {
        try {
          return await within(mostWaitMs, work(orm.em.fork()))
        } catch (cause) {
          if (isDuplicate(cause) || isOurs(cause)) throw cause
          if (!isLocked(cause) || performance.now() > deadline) throw new Unavailable({ cause })
          await pause(Math.random() * longestPauseMs)
          longestPauseMs = Math.min(2 * longestPauseMs, mostPauseMs)
        }
      }
    },
  }
}

/** True for a broken unique key. Compared by name, since an app may hold a second copy of MikroORM. */
export function isDuplicate (error: unknown): boolean {
  return error instanceof Error && error.name === 'UniqueConstraintViolationException'
}

function isLocked (error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_BUSY')
}

/** Gives up on what waits for a connection that nobody gives back. */
async function within<Result> (ms: number, work: Promise<Result>): Promise<Result> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Unavailable()), ms)
  return Promise.race([work, promise]).finally(() => clearTimeout(timer))
}

/**
 * A commit that fails for want of room has rolled back already. The `rollback` that the query builder sends then fails
 * in its turn, and it never gives the one connection back: from there on nobody is answered.
 */
function forgiveRollbacks (sqlite: Sqlite): void {
  const prepare = sqlite.prepare.bind(sqlite)
  sqlite.prepare = (statement) => prepare(statement === 'rollback' && !sqlite.inTransaction ? 'select 0' : statement)
}

async function loadDriver () {
  // The driver does not fail on an older Node: it ends the process without a word.
  if (Number.parseInt(process.versions.node) < 22) throw new OptionsInvalid(`Node 22.17 or newer is needed, and this is ${process.versions.node}`)

  try {
    const [{ SqliteDriver }, { Migrator }, { migrationsOf }] = await Promise.all([
      import('@mikro-orm/sqlite'), import('@mikro-orm/migrations'), import('./migrations/sqlite.ts'),
    ])
    return { SqliteDriver, Migrator, migrationsOf }
  } catch (cause) {
    throw new OptionsInvalid('db needs packages that are not there, in the version of your @mikro-orm/core: ' +
      `npm install ${['sqlite', 'migrations'].map((name) => `@mikro-orm/${name}@${Utils.getORMVersion()}`).join(' ')}`, { cause })
  }
}

async function migrate (orm: MikroORM, triesLeft = mostMigrationTries): Promise<unknown> {
  return orm.migrator.up().catch(async (error) => {
    if (triesLeft === 1) throw error
    await pause(50 + Math.random() * 100)
    return migrate(orm, triesLeft - 1)
  })
}
