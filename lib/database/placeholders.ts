import { isRaw, type EntityManager } from '@mikro-orm/core'
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
