import type { MigrationsOf, SqlFamily } from './schema.ts'

const loading: Record<SqlFamily, () => Promise<{ migrationsOf: MigrationsOf }>> = {
  sqlite: () => import('./sqlite/migrations.ts'),
  postgresql: () => import('./postgresql/migrations.ts'),
  mysql: () => import('./mysql/migrations.ts'),
}

/** Frozen: the tables of users, sessions, events and the throttle. What comes after them is with its feature. */
export const firstMigrations = (family: SqlFamily) => loading[family]()
