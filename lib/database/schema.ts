import type { AnyEntity, EntityClass, EntityManager, MigrationObject } from '@mikro-orm/core'

/** What tells databases apart in their SQL: MySQL and MariaDB take the same. */
export type SqlFamily = 'sqlite' | 'postgresql' | 'mysql'

/** Migrations whose tables begin with the `name` of the accounts. What is released is only ever followed by another. */
export type MigrationsOf = (name: string) => MigrationObject[]

/** What the accounts keep. The database is handed it, and knows no table by itself. */
export interface Schema {
  entities: EntityClass<AnyEntity>[]
  /** Loaded with a driver alone. Those of one source run after those of the sources before it. */
  migrations: ((family: SqlFamily) => Promise<{ migrationsOf: MigrationsOf }>)[]
  /** Adds the rows without which nothing works, where somebody else has made the tables. */
  fill: (em: EntityManager) => Promise<void>
}

/** The migrations of all sources, in the order in which they run. */
export async function migrationsIn ({ migrations }: Schema, family: SqlFamily, name: string): Promise<MigrationObject[]> {
  const sources = await Promise.all(migrations.map((load) => load(family)))
  return sources.flatMap(({ migrationsOf }) => migrationsOf(name))
}
