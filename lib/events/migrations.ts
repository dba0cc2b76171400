import type { MigrationsOf, SqlFamily } from '../database/schema.ts'

const loading: Record<SqlFamily, () => Promise<{ migrationsOf: MigrationsOf }>> = {
  sqlite: () => import('./sqlite/migrations.ts'),
  postgresql: () => import('./postgresql/migrations.ts'),
  mysql: () => import('./mysql/migrations.ts'),
}

/** What events need to be an audit log, and the table of their seals. */
export const eventMigrations = (family: SqlFamily) => loading[family]()
