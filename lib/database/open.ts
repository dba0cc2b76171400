import type { MikroORM, TransactionOptions } from '@mikro-orm/core'
import type { Dialect } from './dialect.ts'
import { createOrm, loadDialect } from './dialects.ts'
import type { Schema } from './schema.ts'
import { dialectOf } from './url.ts'

/** A database that is connected. */
export interface Opened {
  dialect: Dialect
  /** Our own MikroORM, by which all our statements and migrations run. */
  orm: MikroORM
  /** The MikroORM that has the connections: the app's, or `orm` where the app has none. */
  connected: MikroORM
  /** The MikroORM that the app is given to work on users with: its own if that knows our entities, or `orm`. */
  exposed: MikroORM
  /** How each transaction of ours begins, where its connection does not see to that. */
  limits?: TransactionOptions | undefined
  /** Called when the tables are there. */
  settle: () => Promise<void>
  close: () => Promise<void>
}

/** Opens the database that the option `db` names, with connections of our own. */
export async function open (db: string, name: string, tables: Schema): Promise<Opened> {
  const parts = await loadDialect(dialectOf(db)!)
  const { options, setUp, settle, close } = parts.dialect.open(db)
  const orm = await createOrm(parts, name, tables, options)

  try {
    await orm.connect()
    await setUp?.(orm)
  } catch (error) {
    await close(orm)
    throw error
  }
  return {
    dialect: parts.dialect,
    orm,
    connected: orm,
    exposed: orm,
    settle: () => settle(orm),
    close: () => close(orm),
  }
}
