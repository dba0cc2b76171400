import { MikroORM, Utils } from '@mikro-orm/core'
import { OptionsInvalid } from '../http/errors.ts'
import { isMissing } from '../checks/missing-package.ts'
import { bindValues } from './binding.ts'
import type { Dialect, OrmOptions } from './dialect.ts'
import { migrationsIn, type Schema } from './schema.ts'
import type { DialectName } from './url.ts'

/** Options that the host's `MIKRO_ORM_…` variables, meant for its own database, would fill if they were left out. */
const notFromEnvironment = {
  clientUrl: 'tcp://localhost/',
  schema: '',
  baseDir: '.',
  debug: false,
  forceUndefined: false,
  forceUtcTimezone: true,
  timezone: 'Z',
  implicitTransactions: true,
}

/** What it takes to use one kind of database: our dialect, and classes of the packages that the app has installed. */
interface Parts {
  dialect: Dialect
  driver: NonNullable<OrmOptions['driver']>
  Migrator: NonNullable<OrmOptions['extensions']>[number]
}

/**
 * Each import has a literal, without which a bundler finds no file, and each of a driver has a `catch`, so that a
 * bundler leaves out drivers that are not installed.
 */
const loading: Record<DialectName, () => Promise<Omit<Parts, 'Migrator'>>> = {
  async sqlite () {
    const { SqliteDriver: driver } = await import('@mikro-orm/sqlite').catch(askFor('sqlite'))
    return { driver, ...await import('./sqlite/dialect.ts') }
  },
  async postgresql () {
    const { PostgreSqlDriver: driver } = await import('@mikro-orm/postgresql').catch(askFor('postgresql'))
    return { driver, ...await import('./postgresql/dialect.ts') }
  },
  async mariadb () {
    const { MariaDbDriver: driver } = await import('@mikro-orm/mariadb').catch(askFor('mariadb'))
    return { driver, ...await import('./mysql/dialect.ts') }
  },
  async mysql () {
    const { MySqlDriver: driver } = await import('@mikro-orm/mysql').catch(askFor('mysql'))
    return { driver, ...await import('./mysql/dialect.ts') }
  },
}

/**
 * The dialect, with its packages.
 * @throws {OptionsInvalid} that says what to install, where a package is not there
 */
export async function loadDialect (name: DialectName): Promise<Parts> {
  // The driver of SQLite does not fail on an older Node: it ends the process without a word.
  if (Number.parseInt(process.versions.node) < 22) {
    throw new OptionsInvalid(`Node 22.17 or newer is needed, and this is ${process.versions.node}`)
  }

  const { Migrator } = await import('@mikro-orm/migrations').catch(askFor(name))
  return { Migrator, ...await loading[name]() }
}

/** Handles the failed import of a package: where that is missing, the error says what to install. */
function askFor (name: DialectName): (cause: unknown) => never {
  const needed = [name, 'migrations'].map((part) => `@mikro-orm/${part}`)
  return (cause) => {
    if (!needed.some((part) => isMissing(cause, part))) throw cause
    const packages = needed.map((part) => `${part}@${Utils.getORMVersion()}`).join(' ')
    throw new OptionsInvalid('the database needs packages that are not there, ' +
      `in the version of your @mikro-orm/core: npm install ${packages}`, { cause })
  }
}

/** What a MikroORM of ours must heed beside one of the app's. */
interface Surroundings {
  /** The schema of PostgreSQL for the tables, where the app has chosen one. */
  schema?: string | undefined
  /** True beside an app's MikroORM that knows our entities. */
  beside?: boolean
}

/**
 * A MikroORM that knows our entities, in the tables of the accounts `name`, and the migrations that make those.
 * MikroORM writes what it found out about an entity into the prototype of its class: with `beside` into one of our own,
 * so that the app's MikroORM keeps its.
 */
export async function createOrm (
  { dialect, driver, Migrator }: Parts, name: string, tables: Schema, options: OrmOptions,
  { schema, beside = false }: Surroundings = {}
): Promise<MikroORM> {
  const migrationsList = await migrationsIn(tables, dialect.family, name)
  const orm = new MikroORM({
    ...notFromEnvironment,
    driver,
    entities: tables.entities,
    discovery: {
      warnWhenNoEntities: false,
      onMetadata (meta) {
        meta.tableName = meta.tableName.replace(/^accounts_/, `${name}_`)
        if (beside) meta.prototype = Object.create(meta.prototype)
      },
    },
    ensureDatabase: false,
    extensions: [Migrator],
    migrations: {
      tableName: `${name}_migrations`,
      migrationsList,
      transactional: true,
      snapshot: false,
      silent: true,
      ...schema && { schema },
    },
    ...options,
  })
  bindValues(orm, dialect)
  return orm
}
