import { isRaw, raw, type EntityManager, type MikroORM, type RawQueryFragment } from '@mikro-orm/core'
import { isPlainObject } from '../checks/plain-object.ts'
import type { Dialect } from './dialect.ts'

/** A statement with a placeholder of the driver's in its text for each value, in the order of the values. */
export interface Placed {
  text: string
  values: unknown[]
}

/** How a database writes placeholders and quotes names. */
type Notation = Pick<Dialect, 'mark'> & { quote: (name: string) => string }

export function notationOf (em: EntityManager, { mark }: Pick<Dialect, 'mark'>): Notation {
  return { mark, quote: (name) => em.getPlatform().quoteIdentifier(name) }
}

/** The placeholders in a text of MikroORM's: `??` for a name, `?` for a value, and `\?` for the character itself. */
const places = /\\\?|\?\??/g

/**
 * Puts a placeholder of the driver's into the text wherever MikroORM would write a value. A list becomes as many, with
 * commas between them; a raw fragment becomes a part of the text, with placeholders for its own values.
 */
export function place (text: string, params: readonly unknown[], { mark, quote }: Notation): Placed {
  const values: unknown[] = []
  const markOf = (value: unknown): string => {
    if (isRaw(value)) return written(value.sql, value.params)
    if (Array.isArray(value)) return value.map(markOf).join(', ')
    return mark(values.push(value))
  }

  function written (text: string, params: readonly unknown[]): string {
    if (params.length === 0) return text
    const given = params.values()
    return text.replaceAll(places, (sign) => {
      if (sign === '\\?') return '?'
      const { value } = given.next()
      return sign === '??' ? quote(value as string) : markOf(value)
    })
  }

  return { text: written(text, params), values }
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
  return isPlainObject(value) ? JSON.stringify(value) : value ?? null
}

/** The members of MikroORM's connection that are used here, some of which its types hide. */
interface Connection {
  ensureConnection: () => Promise<void>
  getClient: () => Executor
  execute: (
    query: Query, params?: readonly unknown[] | object, method?: Method, transaction?: Executor, context?: object
  ) => Promise<unknown>
  /** Runs it, and logs the text with the time that it took. */
  executeQuery: (text: string, run: () => Promise<unknown>, context?: object) => Promise<unknown>
  transformRawResult: (result: unknown, method: Method) => unknown
}
interface Executor { executeQuery: (query: ReturnType<typeof compiled>) => Promise<unknown> }
type Method = 'all' | 'get' | 'run'
type Query = string | RawQueryFragment | { toRaw: () => RawQueryFragment }

/**
 * Makes a MikroORM of ours send the values of its statements as parameters. By itself MikroORM writes them into the
 * text: there a server logs them, password hashes among them, and under an SQL mode that its escaping does not know
 * they could inject SQL.
 */
export function bindValues ({ em, config }: MikroORM, { mark, bind }: Pick<Dialect, 'mark' | 'bind'>): void {
  const connection = em.getConnection() as unknown as Connection
  const notation = notationOf(em, { mark })

  connection.execute = async (query, params = [], method = 'all', transaction, context) => {
    await connection.ensureConnection()
    const asked = rawOf(query, params)
    const { text, values } = place(config.get('onQuery')(asked.sql, asked.params), asked.params, notation)
    return connection.executeQuery(text, async () => {
      const result = await (transaction ?? connection.getClient()).executeQuery(compiled(text, bind(values)))
      return connection.transformRawResult(result, method)
    }, context)
  }
}

function rawOf (query: Query, params: readonly unknown[] | object): { sql: string, params: readonly unknown[] } {
  if (typeof query !== 'string') return isRaw(query) ? query : query.toRaw()
  if (Array.isArray(params)) return { sql: query, params }
  return raw(query, params as Record<string, unknown>) as unknown as RawQueryFragment
}
