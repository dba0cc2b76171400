import { sayingWhy, whatOf, type DatabaseSettings } from '../database.ts'
import { borrow } from '../databases/borrow.ts'
import { open, type Opened } from '../databases/open.ts'

/** Opens a database as the app would, but for its tables, which stay as they are. */
export async function look<Result> (settings: DatabaseSettings, work: (opened: Opened) => Promise<Result>): Promise<Result> {
  return sayingWhy(whatOf(settings), async () => {
    const opened = await (settings.orm ? borrow(settings.orm, settings.name) : open(settings.db, settings.name))
    try {
      return await work(opened)
    } finally {
      await opened.close()
    }
  })
}

/** The names of the migrations that have not run. Only looks: the migrator itself would make its table. */
export function pendingOf (settings: DatabaseSettings): Promise<string[]> {
  return look(settings, async ({ dialect, migrating }) => {
    const connection = migrating.em.getConnection()
    const { schema, tableName } = migrating.config.get('migrations')
    await connection.execute('select 1')
    const ran: { name: string }[] = await connection.execute(`select name from ${[schema, tableName].filter(Boolean).join('.')}`).catch(() => [])
    return dialect.migrationsOf(settings.name).map(({ name }) => name).filter((name) => !ran.some((row) => row.name === name))
  })
}
