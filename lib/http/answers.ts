import { Type, type TSchema } from '@sinclair/typebox'
import type { FastifyError } from '@fastify/error'
import { component } from './component.ts'
import { memberSchemas } from './error-members.ts'

/** The tag of our routes, until the document gives them that of their accounts. */
export const tags = ['accounts']

/** A class of `errors.ts`, or of Fastify's. */
export type ErrorClass = new (...args: never[]) => FastifyError

export const NothingSchema = Type.Null({ description: 'Done' })

/**
 * Under this key a field keeps keywords for the document alone. A validator would count other characters than the
 * policy, which normalises first, and would answer with an error that is not about passwords.
 */
export const inDocument = Symbol('keywords for the document')

/** Under this key the schema of a status keeps the errors that it stands for. */
export const errorsBehind = Symbol('errors behind a status')

export const ErrorSchema = component('Error', Type.Object({
  statusCode: Type.Integer({ description: 'The status, once more.' }),
  code: Type.String({ description: 'Stable: programs compare this.' }),
  error: Type.String({ description: 'The name of the status.' }),
  message: Type.String({ description: 'For people.' }),
}, { description: 'Why a request was refused' }))

/** The `response` of a route: what it gives, and each status that it may refuse with, naming the codes. */
export function answers (given: Record<number, TSchema>, ...refusals: ErrorClass[]): Record<number, TSchema> {
  const thrown = new Map(refusals.map((Refusal) => new Refusal()).map((error) => [error.code, error]))
  const byStatus = Object.groupBy(thrown.values(), ({ statusCode }) => statusCode!)
  const refused = Object.entries(byStatus).map(([status, errors]) => [status, refusalSchema(errors!)])
  return { ...given, ...Object.fromEntries(refused) }
}

/** A `response` with more that the route may refuse with. */
export function withRefusals (given: Record<number, TSchema>, ...refusals: ErrorClass[]): Record<number, TSchema> {
  return refusals.reduce((all, Refusal) => {
    const error = new Refusal()
    const status = error.statusCode!
    const before = (all[status] as { [errorsBehind]?: FastifyError[] } | undefined)?.[errorsBehind] ?? []
    if (before.some(({ code }) => code === error.code)) return all
    return { ...all, [status]: refusalSchema([...before, error]) }
  }, given)
}

function refusalSchema (errors: FastifyError[]) {
  const codes = errors.map(({ code }) => code)
  const CodeSchema = Type.Object({
    code: Type.Unsafe<string>({ type: 'string', enum: codes }),
    ...memberSchemas(errors),
  })
  return { ...Type.Intersect([ErrorSchema, CodeSchema], { description: codes.join(', ') }), [errorsBehind]: errors }
}
