import type { EntityManager, MikroORM, Options, TransactionOptions } from '@mikro-orm/core'
import type { SqlFamily } from './schema.ts'

/** How a MikroORM is made. */
export type OrmOptions = Partial<Options>

/**
 * What one kind of database needs. Each dialect has a file of its own, which is loaded with its driver when it is used.
 */
export interface Dialect {
  /** The statement that asks the database for its time, `now`, in ms since 1970. */
  clock: string
  /** True where that is the clock of this machine, so there is none to compare ours with. */
  clockIsOurs?: true
  /** The SQL that its migrations are written in. */
  family: SqlFamily
  open: (db: string) => Opening
  /**
   * On a server: how a MikroORM of ours borrows the connections of an app's. Undefined where it cannot, since the app
   * has made them by itself and its MikroORM does not hand them out.
   * @throws {OptionsInvalid} for connections that cannot send values as parameters
   */
  share?: (host: MikroORM) => Promise<Shared | undefined>
  /** How each transaction of ours begins on connections that `share` could not borrow. */
  limits?: TransactionOptions
  /** The placeholder in a statement for its n-th value, which is counted from 1. */
  mark: (place: number) => string
  /** Gives values as the driver takes them beside a statement. */
  bind: (values: unknown[]) => unknown[]
  /** On databases by which processes can wake each other: how to do it, on the connections of `orm`. */
  notifications?: (orm: MikroORM) => Promise<Partial<Notifications>>
}

/** A database that is about to be opened. */
export interface Opening {
  /** How MikroORM finds what the option `db` names. */
  options: OrmOptions
  /** Called when MikroORM has connected, before the first statement. */
  setUp?: (orm: MikroORM) => Promise<void>
  /** Called when the tables are there. */
  settle: (orm: MikroORM) => Promise<void>
  close: (orm: MikroORM) => Promise<void>
}

/** Connections of an app's, which limit our statements as our own would, and leave the app's as they are. */
export type Shared = Required<Pick<Opening, 'setUp' | 'settle'>>

/** Messages from one process to all others. They may be lost, so they are hints, and nothing to rely on. */
export interface Notifications {
  /**
   * Calls `onMessage` for each message of a channel, and once after each time that the connection was lost. Goes on
   * until what it gives back is called. It neither fails nor keeps the process alive.
   */
  listen: (channel: string, onMessage: () => void) => Promise<() => Promise<void>>
  /** Sends a message when the transaction of `em` is committed. */
  notify: (em: EntityManager, channel: string) => Promise<void>
}
