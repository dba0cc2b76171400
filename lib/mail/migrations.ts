import type { MigrationsOf, SqlFamily } from '../database/schema.ts'

const loading: Record<SqlFamily, () => Promise<{ migrationsOf: MigrationsOf }>> = {
  sqlite: () => import('./sqlite/migrations.ts'),
  postgresql: () => import('./postgresql/migrations.ts'),
  mysql: () => import('./mysql/migrations.ts'),
}

/** The tables of mails and of what they prove, and what users and sessions need for them. */
export const mailMigrations = (family: SqlFamily) => loading[family]()
