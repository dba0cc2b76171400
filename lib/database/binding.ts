import { isRaw, raw, type MikroORM, type RawQueryFragment } from '@mikro-orm/core'
import type { Dialect } from './dialect.ts'
import { notationOf, place } from './placeholders.ts'
import { compiled } from './statement.ts'

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
