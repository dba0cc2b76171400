import type { EntityClass, MikroORM } from '@mikro-orm/core'
import type { SqlEntityManager } from '@mikro-orm/sqlite'
import { OptionsInvalid } from '../http/errors.ts'
import { isUnnamed } from '../http/options.ts'
import type { OrmOptions } from './dialect.ts'
import { createOrm, loadDialect } from './dialects.ts'
import type { Opened } from './open.ts'
import type { Schema } from './schema.ts'
import type { DialectName } from './url.ts'

/** A MikroORM of any driver, with any entities. */
export interface AnyOrm {
  em: object
  config: object
  /** What it knows of its entities. */
  getMetadata: (...args: never[]) => unknown
}

/** An app's own MikroORM, or a function that returns it. */
export type OrmOption = AnyOrm | (() => AnyOrm | Promise<AnyOrm>)

/**
 * The databases that we have migrations for, by the name of the driver's class: an app may hold a second copy of it.
 */
const drivers: Record<string, DialectName> = {
  SqliteDriver: 'sqlite', PostgreSqlDriver: 'postgresql', MariaDbDriver: 'mariadb', MySqlDriver: 'mysql',
}

/**
 * Shares the connections of an app's own MikroORM, which the app closes, and nothing else of it: our statements go
 * through a MikroORM of our own, so that no setting, filter or subscriber of the app's changes what is read and written
 * here. The app's may know our entities, so that entities of its own can relate to them.
 * @throws {OptionsInvalid} for what is no MikroORM, or one of another driver, or one that knows half of our entities
 */
export async function borrow (given: OrmOption, name: string, tables: Schema): Promise<Opened> {
  const host = await (typeof given === 'function' ? given() : given) as MikroORM
  if (!isOrm(host)) throw new OptionsInvalid('orm must be a MikroORM, or a function that gives one')

  const { dialect, driver } = driverOf(host)
  const parts = await loadDialect(dialect)
  const known = tables.entities.filter((entity: EntityClass<object>) => host.getMetadata().has(entity))
  const isKnown = known.length > 0
  if (isKnown && known.length < tables.entities.length) {
    throw new OptionsInvalid(
      "orm knows some of our entities and not all: spread `entities` of 'fastify-jwt-accounts' into its own")
  }

  await host.em.getConnection().ensureConnection()
  if (host.config.get('sessionContext') === 'connection') {
    throw new OptionsInvalid("orm cannot be shared: its sessionContext is 'connection', " +
      'so that who asks decides which tables and rights our statements meet')
  }
  if (clientOf(host).getExecutor().plugins.length > 0) {
    throw new OptionsInvalid('orm cannot be shared: its Kysely has plugins, which change what our statements read')
  }

  const shared = await parts.dialect.share?.(host)
  const orm = await createOrm(parts, name, tables,
    { driver, ...sharedOptions(host, name), ...!shared && { driverOptions: clientOf(host) } },
    { schema: ownSchemaOf(host), beside: isKnown })
  await shared?.setUp(orm)
  return {
    dialect: parts.dialect,
    orm,
    connected: host,
    exposed: isKnown && isUnnamed(name) ? host : orm,
    limits: shared ? undefined : parts.dialect.limits,
    settle: async () => shared?.settle(host),
    close: async () => {},
  }
}

function isOrm (value: unknown): value is MikroORM {
  const { em, config, getMetadata } = (value ?? {}) as Partial<MikroORM>
  return typeof getMetadata === 'function' && typeof em === 'object' && typeof config === 'object'
}

/** The Kysely that MikroORM runs its statements by, on the connections of the app. */
function clientOf ({ em }: Pick<MikroORM, 'em'>) {
  return (em as SqlEntityManager).getConnection().getClient()
}

/** The driver as it is published: where an app has extended it, what that changes is for the app's own statements. */
function driverOf (host: MikroORM): { dialect: DialectName, driver: NonNullable<OrmOptions['driver']> } {
  for (let driver = host.em.getDriver().constructor; driver; driver = Object.getPrototypeOf(driver)) {
    if (Object.hasOwn(drivers, driver.name)) return { dialect: drivers[driver.name]!, driver: driver as never }
  }
  throw new OptionsInvalid(`orm must have one of these drivers: ${Object.keys(drivers).join(', ')}`)
}

/**
 * The options of a MikroORM of ours on the app's database and schema. Its context is its own, so that it never joins a
 * transaction of the app's unasked.
 */
function sharedOptions ({ config }: MikroORM, name: string) {
  return {
    dbName: config.get('dbName')!,
    contextName: `fastify-jwt-accounts ${name}`,
    // What the app has done to each of its connections is done for ours too.
    onCreateConnection: config.get('onCreateConnection')!,
    onReserveConnection: config.get('onReserveConnection')!,
    schema: config.get('schema')!,
  }
}

/**
 * The schema that the app has chosen for its tables. Undefined where it has not: then its connections' search path
 * decides.
 */
function ownSchemaOf ({ em, config }: MikroORM): string | undefined {
  const schema = config.get('schema')
  return schema === em.getPlatform().getDefaultSchemaName() ? undefined : schema
}
