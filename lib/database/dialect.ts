import type { EntityManager, MikroORM, Options, TransactionOptions } from '@mikro-orm/core'
import type { SqlFamily } from './schema.ts'

/** How a MikroORM is made. */
export type OrmOptions = Partial<Options>

/** What one kind of database needs. Each stands in a file of its own, which is loaded with its driver when it is used. */
export interface Dialect {
  /** Asks the database for its time, `now`, in ms since 1970. */
  clock: string
  /** That is the clock of this machine, and so no second opinion. */
  clockIsOurs?: true
  /** Whose SQL migrations are written in. */
  family: SqlFamily
  open: (db: string) => Opening
  /**
   * On a server: how a MikroORM of ours, which has none, borrows the connections of an app's. Undefined where that keeps them
   * to itself, since the app has made them by itself.
   * @throws {OptionsInvalid} for those that cannot send values beside their statements
   */
  share?: (host: MikroORM) => Promise<Shared | undefined>
  /** What each transaction of ours begins with where they are kept. */
  limits?: TransactionOptions
  /** What stands in a statement for its n-th value, which is counted from 1. */
  mark: (place: number) => string
  /** Gives values as the driver takes them beside a statement. */
  bind: (values: unknown[]) => unknown[]
  /** Where processes can wake each other: how to, through the database of `orm`. */
  notifications?: (orm: MikroORM) => Promise<Partial<Notifications>>
}

/** A database that is about to be opened. */
export interface Opening {
  /** How MikroORM finds what the option `db` names. */
  options: OrmOptions
  /** Before anything is asked. */
  prepare?: (orm: MikroORM) => Promise<void>
  /** Once the tables are there. */
  settle: (orm: MikroORM) => Promise<void>
  close: (orm: MikroORM) => Promise<void>
}

/** Connections of an app's, on which all that holds for our own holds for what we ask, and nothing for what the app asks. */
export type Shared = Required<Pick<Opening, 'prepare' | 'settle'>>

/** Calls from one process to all others, which may be lost: hints, and nothing to rely on. */
export interface Notifications {
  /**
   * Calls `onMessage` for each message of a channel, and once after each time that the connection was lost. Goes on
   * until what it gives back is called. It neither fails nor keeps the process alive.
   */
  listen: (channel: string, onMessage: () => void) => Promise<() => Promise<void>>
  /** Sends a message when the transaction of `em` is committed. */
  notify: (em: EntityManager, channel: string) => Promise<void>
}
