import { explained, failureOf } from '../database/database.ts'
import { borrow } from '../database/borrow.ts'
import { open, type Opened } from '../database/open.ts'
import type { DatabaseSettings } from '../database/options.ts'
import { tables } from '../entities.ts'
import { pendingIn } from '../database/pending.ts'

/** Opens a database as the app would, but for its tables, which stay as they are. */
export async function look<Result> (
  settings: DatabaseSettings,
  work: (opened: Opened) => Promise<Result>
): Promise<Result> {
  return explained(failureOf(settings), async () => {
    const opened = await (settings.orm
      ? borrow(settings.orm, settings.name, tables)
      : open(settings.db, settings.name, tables))
    try {
      return await work(opened)
    } finally {
      await opened.close()
    }
  })
}

/** The names of the migrations that have not run. A database that does not answer is an error. */
export function pendingOf (settings: DatabaseSettings): Promise<string[]> {
  return look(settings, async (opened) => {
    await opened.orm.em.getConnection().execute('select 1')
    return pendingIn(opened.orm)
  })
}
