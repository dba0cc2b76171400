import type { EntityClass, MikroORM } from '@mikro-orm/core'
import { User } from '../entities/user.ts'
import { OptionsInvalid } from '../errors.ts'
import { createOrm, entities, loadDialect } from './dialects.ts'
import type { Opened } from './open.ts'
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
 * Shares the connections of an app's own MikroORM, which the app closes. If that knows our entities we work through it,
 * so that the app may relate to them, and else, and for accounts of another name, through one of our own beside it.
 * @throws {OptionsInvalid} for what is no MikroORM, or one of another driver, or one that knows half of our entities
 */
export async function borrow (given: OrmOption, name: string): Promise<Opened> {
  const host = await (typeof given === 'function' ? given() : given) as MikroORM
  if (!isOrm(host)) throw new OptionsInvalid('orm must be a MikroORM, or a function that gives one')

  const parts = await loadDialect(dialectOf(host))
  const known = entities.filter((entity: EntityClass<object>) => host.getMetadata().has(entity))
  if (known.length > 0 && known.length < entities.length) {
    throw new OptionsInvalid("orm knows some of our entities and not all: spread `entities` of 'fastify-jwt-accounts' into its own")
  }

  await host.em.getConnection().ensureConnection()
  const isKnown = name === 'accounts' && host.getMetadata().has(User)
  // Without entities where the app's own knows them: what was found out last about an entity would stand in its class.
  const beside = createOrm(parts, name, { ...sharing(host, name), ...isKnown && { entities: [] } }, ownSchemaOf(host))
  return {
    dialect: parts.dialect,
    orm: isKnown ? host : beside,
    migrating: beside,
    connected: host,
    settle: async () => {},
    close: async () => {},
  }
}

function isOrm (value: unknown): value is MikroORM {
  const { em, config, getMetadata } = (value ?? {}) as Partial<MikroORM>
  return typeof getMetadata === 'function' && typeof em === 'object' && typeof config === 'object'
}

function dialectOf (host: MikroORM): DialectName {
  for (let driver = host.em.getDriver().constructor; driver.name; driver = Object.getPrototypeOf(driver)) {
    if (Object.hasOwn(drivers, driver.name)) return drivers[driver.name]!
  }
  throw new OptionsInvalid(`orm must have one of these drivers: ${Object.keys(drivers).join(', ')}`)
}

/** The same connections, database and schema, and a context of our own, so that no transaction of the app's is joined unasked. */
function sharing ({ em, config }: MikroORM, name: string) {
  return {
    driver: em.getDriver().constructor as never,
    dbName: config.get('dbName')!,
    contextName: `fastify-jwt-accounts ${name}`,
    driverOptions: (em.getConnection() as unknown as { getClient: () => object }).getClient(),
    schema: config.get('schema')!,
  }
}

/** The schema that the app has chosen for its tables. Ours go where its connections look unless it has. */
function ownSchemaOf ({ em, config }: MikroORM): string | undefined {
  const schema = config.get('schema')
  return schema === em.getPlatform().getDefaultSchemaName() ? undefined : schema
}
