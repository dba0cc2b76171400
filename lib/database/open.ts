import type { MikroORM, TransactionOptions } from '@mikro-orm/core'
import type { Dialect } from './dialect.ts'
import { createOrm, loadDialect } from './dialects.ts'
import type { Schema } from './schema.ts'
import { dialectOf } from './url.ts'

/** A database that is at hand. */
export interface Opened {
  dialect: Dialect
  /** What all our statements go through, and our migrations: one of our own, always. */
  orm: MikroORM
  /** What has the connections: an app's, or the same. */
  connected: MikroORM
  /** What the app is given to work on users with: its own if that knows them, or ours. */
  shown: MikroORM
  /** What each transaction of ours begins with, where its connection does not see to that. */
  limits?: TransactionOptions | undefined
  /** Once the tables are there. */
  settle: () => Promise<void>
  close: () => Promise<void>
}

/** Opens the database that the option `db` names, for nobody else. */
export async function open (db: string, name: string, tables: Schema): Promise<Opened> {
  const parts = await loadDialect(dialectOf(db)!)
  const { options, prepare, settle, close } = parts.dialect.open(db)
  const orm = await createOrm(parts, name, tables, options)

  try {
    await orm.connect()
    await prepare?.(orm)
  } catch (error) {
    await close(orm)
    throw error
  }
  return { dialect: parts.dialect, orm, connected: orm, shown: orm, settle: () => settle(orm), close: () => close(orm) }
}
