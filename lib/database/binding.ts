import { isRaw, raw, type EntityManager, type MikroORM, type RawQueryFragment } from '@mikro-orm/core'
import { isPlainObject } from '../checks/plain-object.ts'
import type { Dialect } from './dialect.ts'

/** A statement with a mark in its text for each value, in the order of the values. */
export interface Placed {
  text: string
  values: unknown[]
}

/** How a database wants to be asked. */
type Notation = Pick<Dialect, 'mark'> & { quote: (name: string) => string }

export function notationOf (em: EntityManager, { mark }: Pick<Dialect, 'mark'>): Notation {
  return { mark, quote: (name) => em.getPlatform().quoteIdentifier(name) }
}

/** What stands for something in a text of MikroORM's: `??` for a name, `?` for a value, and `\?` for the sign itself. */
const places = /\\\?|\?\??/g

/**
 * Puts a mark into the text wherever MikroORM would write a value. A list is as many values, with commas between them; what
 * is given raw stands in the text, its own values again beside it.
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

/** As Kysely, which MikroORM runs statements by, takes one that is ready. It only compares the id, of queries that are given up. */
export function compiled (sql: string, parameters: unknown[]) {
  return { sql, parameters, query: { kind: 'RawNode', sqlFragments: [sql], parameters: [] } as never, queryId: { queryId: sql } }
}

/** What stands for nothing, and what is kept as JSON, alike for every driver. */
export function storable (value: unknown): unknown {
  return isPlainObject(value) ? JSON.stringify(value) : value ?? null
}

/** What of a connection of MikroORM's is needed here, and is not for others to see. */
interface Connection {
  ensureConnection: () => Promise<void>
  getClient: () => Executor
  execute: (query: Query, params?: readonly unknown[] | object, method?: 'all' | 'get' | 'run', transaction?: Executor, context?: object) => Promise<unknown>
  /** Runs it, and logs the text with the time that it took. */
  executeQuery: (text: string, run: () => Promise<unknown>, context?: object) => Promise<unknown>
  transformRawResult: (result: unknown, method: 'all' | 'get' | 'run') => unknown
}
interface Executor { executeQuery: (query: ReturnType<typeof compiled>) => Promise<unknown> }
type Query = string | RawQueryFragment | { toRaw: () => RawQueryFragment }

/**
 * Lets everything that a MikroORM of ours asks carry its values beside the text. By itself MikroORM writes them into it:
 * there a server logs them, passwords' hashes among them, and a mode of the server's that its way to escape does not know
 * makes statements of them.
 */
export function bindValues ({ em, config }: MikroORM, { mark, bind }: Pick<Dialect, 'mark' | 'bind'>): void {
  const connection = em.getConnection() as unknown as Connection
  const notation = notationOf(em, { mark })

  connection.execute = async (query, params = [], method = 'all', transaction, context) => {
    await connection.ensureConnection()
    const asked = rawOf(query, params)
    const placed = place(config.get('onQuery')(asked.sql, asked.params), asked.params, notation)
    return connection.executeQuery(placed.text, async () => {
      const result = await (transaction ?? connection.getClient()).executeQuery(compiled(placed.text, bind(placed.values)))
      return connection.transformRawResult(result, method)
    }, context)
  }
}

function rawOf (query: Query, params: readonly unknown[] | object): { sql: string, params: readonly unknown[] } {
  if (typeof query !== 'string') return isRaw(query) ? query : query.toRaw()
  return Array.isArray(params) ? { sql: query, params } : raw(query, params as Record<string, unknown>) as unknown as RawQueryFragment
}
