import type { AnyEntity, EntityClass, EntityManager, MigrationObject } from '@mikro-orm/core'

/** The kinds of SQL: MySQL and MariaDB share one. */
export type SqlFamily = 'sqlite' | 'postgresql' | 'mysql'

/** Migrations whose tables begin with the `name` of the accounts. One that is released is never changed. */
export type MigrationsOf = (name: string) => MigrationObject[]

/** The tables of the accounts, which the database is given: it knows none by itself. */
export interface Schema {
  entities: EntityClass<AnyEntity>[]
  /** Each loads the migrations of one source. They run after those of the sources before it. */
  migrations: ((family: SqlFamily) => Promise<{ migrationsOf: MigrationsOf }>)[]
  /** Adds the rows without which nothing works, where somebody else has made the tables. */
  fill: (em: EntityManager) => Promise<void>
}

/** The migrations of all sources, in the order in which they run. */
export async function migrationsIn (
  { migrations }: Schema, family: SqlFamily, name: string
): Promise<MigrationObject[]> {
  const sources = await Promise.all(migrations.map((load) => load(family)))
  return sources.flatMap(({ migrationsOf }) => migrationsOf(name))
}
