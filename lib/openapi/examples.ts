import type { FastifyError } from '@fastify/error'
import type { Messages } from '../http/wording.ts'

// An import of node:http would load all that it offers, the client of fetch too, which takes longer than our own files.
const { STATUS_CODES } = process.getBuiltinModule('node:http')

/** A schema, as far as its examples go. */
export interface Exemplary {
  examples?: unknown[]
  const?: unknown
  properties?: Record<string, Exemplary>
  required?: string[]
  items?: Exemplary
}

/** What an answer of this schema may be, from the examples of its parts; undefined where they tell too little. */
export function exampleOf ({ examples, const: only, properties, required = [], items }: Exemplary): unknown {
  if (examples) return examples[0]
  const item = items && exampleOf(items)
  if (item !== undefined) return [item]
  if (!properties) return only

  const values = Object.entries(properties).map(([name, part]) => [name, exampleOf(part)] as const)
  const known = Object.fromEntries(values.filter(([, value]) => value !== undefined))
  const tells = values.length === 0 || Object.keys(known).length > 0
  return tells && required.every((name) => Object.hasOwn(known, name)) ? known : undefined
}

/** An error as it is answered. */
export interface ErrorAnswer {
  statusCode: number
  code: string
  error: string
  message: string
  /** Which field of a user it is about, in errors that say so. */
  field?: string
}

/** What the settings say of the texts of errors. */
export interface ErrorSettings {
  /** Other texts for errors, by code. */
  messages: Messages
  password: {
    /** Fewest code points of a new password. */
    minLength: number
  }
}

/** What a client is told, in the words of the app where they are fixed. */
export function errorAnswerOf (
  { statusCode, code, message, field }: FastifyError & { field?: string }, { messages, password }: ErrorSettings
): ErrorAnswer {
  /** What stands for the reason in the messages that give one. */
  const reasons: Record<string, string> = {
    ACCOUNTS_INPUT_INVALID: 'body/password must be string',
    ACCOUNTS_PASSWORD_REJECTED: `must have at least ${password.minLength} characters`,
    ACCOUNTS_CSRF_FAILED: 'The request comes from a page of another origin (Sec-Fetch-Site), which is not in csrf.trustedOrigins',
  }
  const own = messages[code]
  const text = typeof own === 'string' ? own : message.replace('%s', reasons[code]!)
  return { statusCode: statusCode!, code, error: STATUS_CODES[statusCode!]!, message: text, ...field !== undefined && { field } }
}
