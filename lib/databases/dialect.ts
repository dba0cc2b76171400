import type { EntityManager, MigrationObject, MikroORM, Options } from '@mikro-orm/core'

/** How a MikroORM is made. */
export type OrmOptions = Partial<Options>

/** What one kind of database needs. Each stands in a file of its own, which is loaded with its driver when it is used. */
export interface Dialect {
  /** Asks the database for its time, `now`, in ms since 1970. */
  clock: string
  migrationsOf: (name: string) => MigrationObject[]
  open: (db: string) => Opening
  /** Gives a value as the driver takes it beside a statement, where that is worth it: the same text is then prepared once. */
  bind?: (value: unknown) => unknown
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
