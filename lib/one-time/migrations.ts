import type { MigrationsOf, SqlFamily } from '../database/schema.ts'

const loading: Record<SqlFamily, () => Promise<{ migrationsOf: MigrationsOf }>> = {
  sqlite: () => import('./sqlite/migrations.ts'),
  postgresql: () => import('./postgresql/migrations.ts'),
  mysql: () => import('./mysql/migrations.ts'),
}

/** The table of what was used once, and what users need for second factors. */
export const oneTimeMigrations = (family: SqlFamily) => loading[family]()
