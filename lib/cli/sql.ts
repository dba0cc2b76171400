import type { MigrationObject } from '@mikro-orm/core'
import type { Migration } from '@mikro-orm/migrations'
import type { SqlFamily } from '../database/schema.ts'
import { defineCommand } from './command.ts'
import { UsageWrong } from './errors.ts'

interface Dialect {
  family: SqlFamily
  /** The statements of a transaction around the others, where the database can make tables in one. */
  frame: [begin: string[], end: string[]]
  /** The columns of the table of migrations, as MikroORM's migrator makes it. */
  columns: string
}

const mysql: Dialect = {
  family: 'mysql',
  frame: [[], []],
  columns:
    'id int not null auto_increment primary key, name varchar(255) not null, ' +
    'executed_at datetime not null default current_timestamp',
}

const dialects: Record<string, Dialect> = {
  sqlite: {
    family: 'sqlite',
    frame: [['begin'], ['commit']],
    columns:
      'id integer not null primary key autoincrement, name text not null, ' +
      "executed_at datetime not null default (strftime('%s', 'now') * 1000)",
  },
  postgresql: {
    family: 'postgresql',
    frame: [['begin'], ['commit']],
    columns:
      'id serial primary key, name varchar(255) not null, ' +
      'executed_at timestamptz(6) not null default current_timestamp(6)',
  },
  mysql,
  mariadb: mysql,
}

export const sql = defineCommand({
  name: 'sql',
  summary: 'Prints the SQL that creates all tables in an empty database, to run it by hand. Needs no database.',
  flags: {
    driver: { type: 'string', value: 'NAME', summary: Object.keys(dialects).join(', ') },
    name: { type: 'string', value: 'NAME', summary: 'the name of the accounts; by default accounts' },
  },
  async run (_, { driver = '', name = 'accounts' }) {
    if (!Object.hasOwn(dialects, driver)) throw new UsageWrong(`--driver is one of ${Object.keys(dialects).join(', ')}`)
    const { migrationsIn, OptionsSchema, tables } = await import('./plugin.ts')
    if (!new RegExp(OptionsSchema.properties.name.pattern!).test(name)) {
      throw new UsageWrong('--name is of up to 31 small letters, digits and _, and begins with a letter')
    }

    const {
      family,
      frame: [begin, end],
      columns,
    } = dialects[driver]!
    const migrations = await migrationsIn(tables, family, name)
    const made = (await Promise.all(migrations.map(statementsOf))).flat()
    const noted = migrations.map((migration) => `('${migration.name}')`).join(', ')
    const statements = [
      ...begin, ...made,
      `create table ${name}_migrations (${columns})`,
      `insert into ${name}_migrations (name) values ${noted}`,
      ...end,
    ]
    const text = statements.map((statement) => `${statement.replaceAll(/\n {6,}/g, '\n  ')};`).join('\n')
    return { result: { sql: text }, text }
  },
})

/** The statements of a migration on an empty database: some ask what is there already, and are told that nothing is. */
async function statementsOf ({ class: Step }: MigrationObject): Promise<string[]> {
  const migration = new (Step as unknown as new (driver: object) => Migration)({ execute: async () => [] })
  await migration.up()
  return migration.getQueries() as string[]
}
