import { MikroORM, Utils } from '@mikro-orm/core'
import { Event } from '../entities/event.ts'
import { Revision } from '../entities/revision.ts'
import { RevokedToken } from '../entities/revoked-token.ts'
import { Session } from '../entities/session.ts'
import { ThrottleBucket } from '../entities/throttle.ts'
import { User } from '../entities/user.ts'
import { OptionsInvalid } from '../errors.ts'
import type { Dialect, OrmOptions } from './dialect.ts'
import type { DialectName } from './url.ts'

/** For the `entities` of an app's own MikroORM, if that is to know them. */
export const entities = [User, Session, RevokedToken, Revision, ThrottleBucket, Event]

/** Options that the host's `MIKRO_ORM_…` variables, meant for its own database, would fill if they were left out. */
const deafToEnvironment = {
  clientUrl: 'tcp://localhost/',
  schema: '',
  baseDir: '.',
  debug: false,
  forceUndefined: false,
  forceUtcTimezone: true,
  timezone: 'Z',
  implicitTransactions: true,
}

/**
 * The dialect, with its packages.
 * @throws {OptionsInvalid} that says what to install
 */
export async function loadDialect (name: DialectName) {
  // The driver of SQLite does not fail on an older Node: it ends the process without a word.
  if (Number.parseInt(process.versions.node) < 22) throw new OptionsInvalid(`Node 22.17 or newer is needed, and this is ${process.versions.node}`)

  try {
    const [{ dialect }, { Migrator }] = await Promise.all([import(`./${name}.ts`) as Promise<{ dialect: Dialect }>, import('@mikro-orm/migrations')])
    return { dialect, Migrator }
  } catch (cause) {
    throw new OptionsInvalid('the database needs packages that are not there, in the version of your @mikro-orm/core: ' +
      `npm install ${[name, 'migrations'].map((name) => `@mikro-orm/${name}@${Utils.getORMVersion()}`).join(' ')}`, { cause })
  }
}

/** A MikroORM that knows our entities, under the tables of the accounts `name`, and how to make those. */
export function createOrm ({ dialect, Migrator }: Awaited<ReturnType<typeof loadDialect>>, name: string, options: OrmOptions, schema?: string): MikroORM {
  return new MikroORM({
    ...deafToEnvironment,
    driver: dialect.driver,
    entities,
    discovery: {
      warnWhenNoEntities: false,
      onMetadata (meta) { meta.tableName = meta.tableName.replace(/^accounts_/, `${name}_`) },
    },
    ensureDatabase: false,
    extensions: [Migrator],
    migrations: {
      tableName: `${name}_migrations`,
      migrationsList: dialect.migrationsOf(name),
      transactional: true,
      snapshot: false,
      silent: true,
      ...schema && { schema },
    },
    ...options,
  })
}
