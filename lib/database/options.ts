import { Type } from '@sinclair/typebox'
import { DurationSchema, Group, Kept, OneOf, text } from '../checks/kinds.ts'
import { settled, type Filled } from '../checks/slice.ts'
import type { HttpSettings } from '../http/options.ts'
import type { OrmOption } from './borrow.ts'
import { dialectOf } from './url.ts'

const isDatabase = text((db) => dialectOf(db) !== undefined,
  "be a file for SQLite, ':memory:', or a URL such as 'postgresql://user:password@host:5432/database' " +
  '(or mysql:, mariadb:)')

export const options = {
  db: Type.String({
    ...isDatabase,
    minLength: 1,
    default: 'accounts.sqlite',
    env: 'ACCOUNTS_DATABASE_URL',
    description: "An SQLite file, `':memory:'`, or the URL of a PostgreSQL, MySQL or MariaDB database, such as " +
      "`'postgresql://user:password@host:5432/database'`. The parameter `connection_limit` limits the connections " +
      'of this process; 10 by default ([databases](databases.md)).',
  }),
  orm: Type.Optional(Kept<OrmOption>('OrmOption', {
    insteadOf: 'db',
    holds: (orm) => ['object', 'function'].includes(typeof orm) && orm !== null,
    must: 'be a MikroORM, or a function that gives one',
    description: 'A MikroORM of your own, or a function that returns it, instead of `db` ' +
      '([how](databases.md#with-a-mikroorm-of-your-own)). The accounts use its connections. Your app closes it.',
  })),
  schema: OneOf(['migrate', 'none'], {
    default: 'migrate',
    description: "Who creates and migrates the tables: the plugin, or with `'none'` your own migrations.",
  }),
  prune: Group({
    interval: DurationSchema('1h', {
      zero: true,
      most: 7 * 86400,
      description: 'How often expired rows are deleted, up to a week. 0: only when you call `app.accounts.prune()`.',
    }),
  }),
}

/** What the settings say of where the accounts are, and who makes their tables. */
export type DatabaseSettings = Pick<HttpSettings, 'name'> & Pick<Read, 'db' | 'orm'> & Partial<Pick<Read, 'schema'>>

/** What the settings say of when old rows are deleted. */
export type PruneSettings = Pick<Read, 'prune'>

type Read = ReturnType<typeof read>

export function read (given: Filled<typeof options>) {
  return settled(options, given)
}
