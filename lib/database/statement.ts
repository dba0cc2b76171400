import { raw, type EntityClass, type EntityManager, type LockMode } from '@mikro-orm/core'
import { isPlainObject } from '../checks/plain-object.ts'
import type { SqlEntityManager } from '@mikro-orm/sqlite'
import { notationOf, place, type Placed } from './placeholders.ts'
import type { Dialect } from './dialect.ts'

/**
 * The methods of the ORM's query builder that are used to make statements. The ORM's own type belongs to a driver, and
 * an app that has installed another could not compile our declarations.
 */
export interface Builder extends Made {
  select: (columns: string | string[]) => Builder
  insert: (values: object | object[]) => Builder
  update: (values: object) => Builder
  where: (condition: object) => Builder
  innerJoinAndSelect: (property: string, alias: string) => Builder
  orderBy: (order: object) => Builder
  limit: (count: number) => Builder
  offset: (count: number) => Builder
  onConflict: (columns: string | string[]) => { merge: (columns: string[]) => Builder, ignore: () => Builder }
}

/** The methods of the ORM's query builder that are used to select rows. */
export interface Selection<Row> {
  select: (columns: string) => Selection<Row>
  where: (condition: object) => Selection<Row>
  orderBy: (order: object) => Selection<Row>
  limit: (count: number) => Selection<Row>
  setLockMode: (mode: LockMode) => Selection<Row>
  /** The rows with the names and types of the entity, and ids for relations. Not `mapped`: as the driver gives them. */
  execute: (method: 'all', mapped?: boolean) => Promise<Row[]>
}

/** A statement that the ORM has made: its text, and the values of its placeholders. */
interface Made {
  getQuery: () => string
  getParams: () => readonly unknown[]
}

/** What statements are made with. Where a value is to go, a text names it; a value of any other type is a constant. */
export interface Making {
  /** A builder of the ORM's for a table. */
  query: (entity: EntityClass<any>, alias?: string) => Builder
  /** All properties of an entity, each named as itself: what an insert holds. JSON is given as its text. */
  all: (entity: EntityClass<any>) => Record<string, unknown>
}

/**
 * The texts of all statements of `createStatement`, which drivers keep prepared. Texts that are made for one use are
 * not among them, since each may differ from the last.
 */
export const keptTexts = new Set<string>()

/** Values by the names that stand in for them in the statement. */
export type Values = Record<string, unknown>

/**
 * A statement that many requests need. The ORM makes its text once, and from then on the driver alone is asked:
 * `em.find` and `em.nativeUpdate` would make it anew each time, which takes several times as long as to run it.
 */
export interface Statement {
  /** The rows, as the driver gives them. */
  all: <Row>(em: EntityManager, values: Values) => Promise<Row[]>
  /** How many rows were changed. */
  run: (em: EntityManager, values: Values) => Promise<number>
}

/**
 * A query for rows that are needed seldom, never from a replica. It gives plain rows and no entities: what an entity's
 * class knows of itself is decided by the MikroORM that has seen it last, and that may be an app's.
 */
export function selectFrom<Row> (em: EntityManager, entity: EntityClass<any>): Selection<Row> {
  return (em as SqlEntityManager).createQueryBuilder(entity, undefined, 'write') as unknown as Selection<Row>
}

export function createStatement (
  make: (making: Making) => Made, { mark, bind }: Pick<Dialect, 'mark' | 'bind'>
): Statement {
  let statement: Placed | undefined

  /** The text, which is kept prepared from now on, and the names of its values. */
  function read (em: SqlEntityManager): Placed {
    const made = make(makingOf(em))
    const placed = place(made.getQuery(), made.getParams(), notationOf(em, { mark }))
    keptTexts.add(placed.text)
    return placed
  }

  async function execute (em: SqlEntityManager, values: Values) {
    const { text, values: names } = statement ??= read(em)
    const given = bind(names.map((name) => typeof name === 'string' ? valueOf(values, name) : name))
    // As MikroORM logs its own statements.
    const query = em.config.get('onQuery')(text, given)
    em.config.getLogger().logQuery({ level: 'info', query })
    return (em.getTransactionContext() ?? em.getConnection('write').getClient()).executeQuery(compiled(query, given))
  }

  return {
    async all<Row> (em: EntityManager, values: Values) {
      const { rows } = await execute(em as SqlEntityManager, values)
      return rows as Row[]
    },
    async run (em, values) {
      const { numAffectedRows, rows } = await execute(em as SqlEntityManager, values)
      // For values that the database computes MikroORM adds a `returning`, and then SQLite gives rows and no count.
      return Number(numAffectedRows ?? rows.length)
    },
  }
}

function makingOf (em: SqlEntityManager): Making {
  return {
    query: (entity, alias) => em.createQueryBuilder(entity, alias, 'write'),
    all (entity) {
      const { props } = em.getMetadata().get(entity)
      // For a column of a custom type the ORM would convert the name to JSON.
      return Object.fromEntries(props.map(({ name, customType }) => [name, customType ? raw('?', [name]) : name]))
    },
  }
}

function valueOf (values: Values, name: string): unknown {
  if (!Object.hasOwn(values, name)) throw new TypeError(`A statement has no value for ${name}`)
  return values[name]
}

/** An object that has each of these names as its own value: what an update of these properties holds. */
export function named (names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, name]))
}

/**
 * A finished statement as Kysely takes it, by which MikroORM runs statements. Of the id Kysely only asks whether two
 * are the same.
 */
export function compiled (sql: string, parameters: unknown[]) {
  const query = { kind: 'RawNode', sqlFragments: [sql], parameters: [] } as never
  return { sql, parameters, query, queryId: { queryId: sql } }
}

/** A value that every driver takes alike: objects as JSON, and null for undefined. */
export function storable (value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value ?? null
  return isPlainObject(value) ? JSON.stringify(value) : value
}

/**
 * A row of the driver's, with the names and types of the entity. It is plain data, no managed entity, so to change it
 * stores nothing. Unlike the ORM it does not fail on a value that only somebody in the database can have written, such
 * as a date that is none: our rules decide what that means.
 */
export function fromRow<Entity extends object> (em: EntityManager, entity: EntityClass<Entity>, row: object): Entity {
  const meta = em.getMetadata().get(entity)
  const mapped = em.getDriver().mapResult<Entity>(row, meta)!
  for (const { name, customType } of meta.props) {
    if (customType) mapped[name] = customType.convertToJSValue(mapped[name], em.getPlatform()) as never
  }
  return mapped as Entity
}
