import type { FastifyError } from '@fastify/error'
import { membersOf, type ErrorMembers } from '../http/error-members.ts'
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

/** An example of an answer with this schema, from the examples of its parts. Undefined where those are too few. */
export function exampleOf ({ examples, const: only, properties, required = [], items }: Exemplary): unknown {
  if (examples) return examples[0]
  const item = items && exampleOf(items)
  if (item !== undefined) return [item]
  if (!properties) return only

  const values = Object.entries(properties).map(([name, part]) => [name, exampleOf(part)] as const)
  const known = Object.fromEntries(values.filter(([, value]) => value !== undefined))
  const isExample = values.length === 0 || Object.keys(known).length > 0
  return isExample && required.every((name) => Object.hasOwn(known, name)) ? known : undefined
}

/** An error as it is answered. */
export interface ErrorAnswer extends ErrorMembers {
  statusCode: number
  code: string
  error: string
  message: string
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

/** An example of an error as a client gets it, in the app's own words where those are a text. */
export function errorAnswerOf (
  error: FastifyError, { messages, password }: ErrorSettings
): ErrorAnswer {
  const { statusCode, code, message } = error
  /** Examples of reasons, for the messages that have one. */
  const reasons: Record<string, string> = {
    ACCOUNTS_INPUT_INVALID: 'body/password must be string',
    ACCOUNTS_PASSWORD_REJECTED: `must have at least ${password.minLength} characters`,
    ACCOUNTS_CSRF_FAILED: 'The request comes from a page of another origin (Sec-Fetch-Site), ' +
      'which is not in csrf.trustedOrigins',
  }
  const own = messages[code]
  const text = typeof own === 'string' ? own : message.replace('%s', reasons[code]!)
  return {
    statusCode: statusCode!,
    code,
    error: STATUS_CODES[statusCode!]!,
    message: text,
    ...membersOf(error),
  }
}
