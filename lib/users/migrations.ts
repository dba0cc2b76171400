import type { MigrationsOf, SqlFamily } from '../database/schema.ts'

const loading: Record<SqlFamily, () => Promise<{ migrationsOf: MigrationsOf }>> = {
  sqlite: () => import('./sqlite/migrations.ts'),
  postgresql: () => import('./postgresql/migrations.ts'),
  mysql: () => import('./mysql/migrations.ts'),
}

/** Whose account it is: a person's, or a program's. */
export const userMigrations = (family: SqlFamily) => loading[family]()
