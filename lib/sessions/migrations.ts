import type { MigrationsOf, SqlFamily } from '../database/schema.ts'

const loading: Record<SqlFamily, () => Promise<{ migrationsOf: MigrationsOf }>> = {
  sqlite: () => import('./sqlite/migrations.ts'),
  postgresql: () => import('./postgresql/migrations.ts'),
  mysql: () => import('./mysql/migrations.ts'),
}

/** Who has borrowed a session, and what sessions are pruned by. */
export const sessionMigrations = (family: SqlFamily) => loading[family]()
