import type { TSchema } from '@sinclair/typebox'
import type { FastifyBaseLogger } from 'fastify'
import type { Input } from '../http/input.ts'

/**
 * The schemas of what is told of events beside their columns, by type: each folder has those of its own in events.ts.
 * Never a secret, a password or a whole address (`maskedAddress`). Text of any content has one of the names of
 * `personalNames`, so that it can be erased.
 */
export type DataSchemas = Record<string, TSchema>

/** Gives the data of an event of a type, as they may be told and stored; null where they have another form. */
export type ReadData = (type: string, data: object) => object | null

/**
 * Holds the data of events to the schemas of their types. What has another form could hold anything: it is neither told
 * nor stored, and the log says of which type it was. What it tells of goes on.
 */
export function createReadData (
  schemas: DataSchemas, { compile }: Pick<Input, 'compile'>, log: Pick<FastifyBaseLogger, 'error'>
): ReadData {
  const checks = Object.fromEntries(Object.entries(schemas).map(([type, schema]) => [type, compile(schema, 'change')]))

  return (type, data) => {
    // As it will be stored: what JSON cannot say is not there.
    const copy: object = JSON.parse(JSON.stringify(data))
    if (checks[type]?.(copy) === true) return copy
    log.error({ type }, 'The data of an event have not the form of their type, and are left out')
    return null
  }
}

/** An address as events tell of it: `a…@example.com`. */
export function maskedAddress (address: string): string {
  return `${[...address][0]}…${address.slice(address.lastIndexOf('@'))}`
}
