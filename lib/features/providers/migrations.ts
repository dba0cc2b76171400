import type { MigrationsOf, SqlFamily } from '../../database/schema.ts'

const loading: Record<SqlFamily, () => Promise<{ migrationsOf: MigrationsOf }>> = {
  sqlite: () => import('./sqlite/migrations.ts'),
  postgresql: () => import('./postgresql/migrations.ts'),
  mysql: () => import('./mysql/migrations.ts'),
}

/** The table of identities. */
export const identityMigrations = (family: SqlFamily) => loading[family]()
