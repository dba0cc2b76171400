import { raw, type EntityClass, type EntityManager, type LockMode } from '@mikro-orm/core'
import type { SqlEntityManager } from '@mikro-orm/sqlite'
import { compiled, notationOf, place, type Placed } from './binding.ts'
import type { Dialect } from './dialect.ts'

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
  /** All properties of an entity, each named as itself: what an insert holds. JSON is given as its text. */
  all: (entity: EntityClass<any>) => Record<string, unknown>
}

/**
 * The texts of all statements, which are worth to be kept prepared. What is made for one use may be another text each time,
 * and is not among these.
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

export function createStatement (make: (making: Making) => Made, { mark, bind }: Pick<Dialect, 'mark' | 'bind'>): Statement {
  let statement: Placed | undefined

  /** The text, from now on one that is kept, and the names that stand in it. */
  function read (em: SqlEntityManager): Placed {
    const made = make(makingOf(em))
    const placed = place(made.getQuery(), made.getParams(), notationOf(em, { mark }))
    keptTexts.add(placed.text)
    return placed
  }

  async function execute (em: SqlEntityManager, values: Values) {
    const { text, values: names } = statement ??= read(em)
    const given = bind(names.map((name) => typeof name === 'string' ? valueOf(values, name) : name))
    // What MikroORM does for statements of its own: it is open, and has told what it logs.
    const query = em.config.get('onQuery')(text, given)
    em.config.getLogger().logQuery({ level: 'info', query })
    return (em.getTransactionContext() ?? em.getConnection('write').getClient()).executeQuery(compiled(query, given))
  }

  return {
    all: async <Row>(em: EntityManager, values: Values) => (await execute(em as SqlEntityManager, values)).rows as Row[],
    async run (em, values) {
      const { numAffectedRows, rows } = await execute(em as SqlEntityManager, values)
      // What the database computes MikroORM has it return, and SQLite then counts nothing.
      return Number(numAffectedRows ?? rows.length)
    },
  }
}

function makingOf (em: SqlEntityManager): Making {
  return {
    query: (entity, alias) => em.createQueryBuilder(entity, alias, 'write'),
    all (entity) {
      const { props } = em.getMetadata().get(entity)
      // The ORM would write the name itself as JSON.
      return Object.fromEntries(props.map(({ name, customType }) => [name, customType ? raw('?', [name]) : name]))
    },
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
