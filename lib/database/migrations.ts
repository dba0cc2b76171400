import type { MigrationsOf, SqlFamily } from './schema.ts'

const loading: Record<SqlFamily, () => Promise<{ migrationsOf: MigrationsOf }>> = {
  sqlite: () => import('./sqlite/migrations.ts'),
  postgresql: () => import('./postgresql/migrations.ts'),
  mysql: () => import('./mysql/migrations.ts'),
}

/** Frozen: the tables of users, sessions, events and the throttle. Later migrations are in the folders of features. */
export const firstMigrations = (family: SqlFamily) => loading[family]()
