import { isRaw, type EntityClass, type EntityManager, type LockMode } from '@mikro-orm/core'
import type { SqlEntityManager } from '@mikro-orm/sqlite'

/**
 * What of the ORM's query builder is used here. The type of its own belongs to a driver, and an app that has installed
 * another could not compile our declarations.
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
  onConflict: (columns: string | string[]) => { merge: (columns: string[]) => Builder }
}

/** What of it is used to ask for rows. */
export interface Selection<Row> {
  select: (columns: string) => Selection<Row>
  where: (condition: object) => Selection<Row>
  orderBy: (order: object) => Selection<Row>
  limit: (count: number) => Selection<Row>
  setLockMode: (mode: LockMode) => Selection<Row>
  /** With the names and types of the entity, and the id of what it relates to; or, not `mapped`, as the driver gives them. */
  execute: (method: 'all', mapped?: boolean) => Promise<Row[]>
}

/** A statement that the ORM has made: its text, and what the places in it stand for. */
interface Made {
  getQuery: () => string
  getParams: () => readonly unknown[]
}

/** What statements are made of. Names stand in for values; what is no text stands for itself. */
export interface Making {
  /** A builder of the ORM's for a table. */
  query: (entity: EntityClass<any>, alias?: string) => Builder
  /** All properties of an entity, each named as itself: what an insert holds. */
  all: (entity: EntityClass<any>) => Record<string, string>
}

/**
 * The texts of all statements, which are worth to be kept prepared where their values come beside them. What an app adds to
 * them may be another text each time, and is not among these.
 */
export const keptTexts = new Set<string>()

/** Values by the names that stand in for them in the statement. */
export type Values = Record<string, unknown>

/**
 * A statement that every request of a kind pays for. The ORM makes its text once, and from then on the driver alone is
 * asked: by `em.find` and `em.nativeUpdate` it would be made anew each time, which takes several times what it does itself.
 */
export interface Statement {
  /** The rows, as the driver gives them. */
  all: <Row>(em: EntityManager, values: Values) => Promise<Row[]>
  /** How many rows were changed. */
  run: (em: EntityManager, values: Values) => Promise<number>
}

/**
 * A query for what is asked once in a while, as rows. Nothing of ours makes entities of them: what an entity is and holds is
 * for the MikroORM to say that has seen its class last, and that may be an app's. Never from a replica.
 */
export function selectFrom<Row> (em: EntityManager, entity: EntityClass<any>): Selection<Row> {
  return (em as SqlEntityManager).createQueryBuilder(entity, undefined, 'write') as unknown as Selection<Row>
}

/** `bind` gives a value as the driver takes it, where it keeps statements prepared; else the values are written into the text. */
export function createStatement (make: (making: Making) => Made, bind?: (value: unknown) => unknown): Statement {
  let statement: { text: string, names: unknown[] } | undefined

  async function execute (em: SqlEntityManager, values: Values, method: 'all' | 'run'): Promise<any> {
    const { text, names } = statement ??= read(make(makingOf(em)))
    const given = names.map((name) => typeof name === 'string' ? valueOf(values, name) : name)
    const connection = em.getConnection('write')
    const transaction = em.getTransactionContext()
    if (!bind) return connection.execute(text, given, method, transaction)

    // What MikroORM does for statements of its own, but that it writes values into them: it is open, and has told what it logs.
    const query = em.config.get('onQuery')(text, given)
    em.config.getLogger().logQuery({ level: 'info', query })
    const { rows, numAffectedRows } = await (transaction ?? connection.getClient()).executeQuery(compiled(query, given.map(bind)))
    return method === 'all' ? rows : { affectedRows: Number(numAffectedRows) }
  }

  return {
    all: (em, values) => execute(em as SqlEntityManager, values, 'all'),
    run: async (em, values) => (await execute(em as SqlEntityManager, values, 'run')).affectedRows,
  }
}

function makingOf (em: SqlEntityManager): Making {
  return {
    query: (entity, alias) => em.createQueryBuilder(entity, alias, 'write'),
    all: (entity) => named(em.getMetadata().get(entity).props.map(({ name }) => name)),
  }
}

function valueOf (values: Values, name: string): unknown {
  if (!Object.hasOwn(values, name)) throw new TypeError(`A statement has no value for ${name}`)
  return values[name]
}

/** These names, each in its own place. */
export function named (names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, name]))
}

/** The text, from now on one that is kept, and what stands in it. What is given raw goes into the text. */
function read (made: Made) {
  const given = made.getParams().values()
  const names: unknown[] = []
  const text = made.getQuery().replaceAll('?', () => {
    const next = given.next().value
    if (isRaw(next)) return next.sql
    names.push(next)
    return '?'
  })
  keptTexts.add(text)
  return { text, names }
}

/** As Kysely, which MikroORM runs statements by, takes one that is ready. It only compares the id, of queries that are given up. */
function compiled (sql: string, parameters: unknown[]) {
  return { sql, parameters, query: { kind: 'RawNode', sqlFragments: [sql], parameters: [] } as never, queryId: { queryId: sql } }
}
