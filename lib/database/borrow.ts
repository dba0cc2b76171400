import type { EntityClass, MikroORM } from '@mikro-orm/core'
import type { SqlEntityManager } from '@mikro-orm/sqlite'
import { OptionsInvalid } from '../http/errors.ts'
import type { OrmOptions } from './dialect.ts'
import { createOrm, loadDialect } from './dialects.ts'
import type { Opened } from './open.ts'
import type { Schema } from './schema.ts'
import type { DialectName } from './url.ts'

/** A MikroORM of any driver, with whatever entities. */
export interface AnyOrm {
  em: object
  config: object
  /** What it knows of its entities. */
  getMetadata: (...args: never[]) => unknown
}

/** An app's own MikroORM, or what gives it. */
export type OrmOption = AnyOrm | (() => AnyOrm | Promise<AnyOrm>)

/** What we have migrations for, by the class of the driver: by its name, since an app may hold a second copy. */
const drivers: Record<string, DialectName> = {
  SqliteDriver: 'sqlite', PostgreSqlDriver: 'postgresql', MariaDbDriver: 'mariadb', MySqlDriver: 'mysql',
}

/**
 * Shares the connections of an app's own MikroORM, which the app closes, and nothing else of it: all of ours goes through one
 * of our own beside it, so that no setting, filter or subscriber of the app's changes what is read and written here. The
 * app's may know our entities, so that others of its own relate to them.
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
    throw new OptionsInvalid("orm knows some of our entities and not all: spread `entities` of 'fastify-jwt-accounts' into its own")
  }

  await host.em.getConnection().ensureConnection()
  if (host.config.get('sessionContext') === 'connection') {
    throw new OptionsInvalid("orm cannot be shared: its sessionContext is 'connection', so that who asks decides which tables and rights our statements meet")
  }
  if (clientOf(host).getExecutor().plugins.length > 0) throw new OptionsInvalid('orm cannot be shared: its Kysely has plugins, which change what our statements read')
  const shared = await parts.dialect.share?.(host)
  const orm = await createOrm(parts, name, tables,
    { driver, ...sharing(host, name), ...!shared && { driverOptions: clientOf(host) } },
    { schema: ownSchemaOf(host), beside: isKnown })
  await shared?.prepare(orm)
  return {
    dialect: parts.dialect,
    orm,
    connected: host,
    shown: isKnown && name === 'accounts' ? host : orm,
    limits: shared ? undefined : parts.dialect.limits,
    settle: async () => shared?.settle(host),
    close: async () => {},
  }
}

function isOrm (value: unknown): value is MikroORM {
  const { em, config, getMetadata } = (value ?? {}) as Partial<MikroORM>
  return typeof getMetadata === 'function' && typeof em === 'object' && typeof config === 'object'
}

/** What MikroORM runs its statements by: Kysely, on the connections of the app. */
function clientOf ({ em }: Pick<MikroORM, 'em'>) {
  return (em as SqlEntityManager).getConnection().getClient()
}

/** The driver as it is published: what an app has made of it by extending it is for the app. */
function driverOf (host: MikroORM): { dialect: DialectName, driver: NonNullable<OrmOptions['driver']> } {
  for (let driver = host.em.getDriver().constructor; driver; driver = Object.getPrototypeOf(driver)) {
    if (Object.hasOwn(drivers, driver.name)) return { dialect: drivers[driver.name]!, driver: driver as never }
  }
  throw new OptionsInvalid(`orm must have one of these drivers: ${Object.keys(drivers).join(', ')}`)
}

/** The same database and schema, and a context of our own, so that no transaction of the app's is joined unasked. */
function sharing ({ config }: MikroORM, name: string) {
  return {
    dbName: config.get('dbName')!,
    contextName: `fastify-jwt-accounts ${name}`,
    // What they do with each of their connections is done with each that we borrow.
    onCreateConnection: config.get('onCreateConnection')!,
    onReserveConnection: config.get('onReserveConnection')!,
    schema: config.get('schema')!,
  }
}

/** The schema that the app has chosen for its tables. Ours go where its connections look unless it has. */
function ownSchemaOf ({ em, config }: MikroORM): string | undefined {
  const schema = config.get('schema')
  return schema === em.getPlatform().getDefaultSchemaName() ? undefined : schema
}
