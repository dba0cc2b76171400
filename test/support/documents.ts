import swagger from '@fastify/swagger'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import accounts, { type AccountsOptions } from '../../lib/index.ts'
import { cheap, secret } from './build.ts'
import { Fastify } from './fastify.ts'

export interface Answer {
  description: string
  headers?: Record<string, object>
  content?: Record<string, { schema: Record<string, any>, example?: any, examples?: Record<string, { value: any }> }>
}

export interface Operation {
  operationId?: string
  summary?: string
  description?: string
  tags?: string[]
  security?: Record<string, string[]>[]
  parameters?: { name: string, description?: string }[]
  requestBody?: { content: Record<string, { schema: Record<string, any> }> }
  responses: Record<string, Answer>
}

export interface OpenapiDocument extends Record<string, any> {
  openapi: string
  tags?: { name: string, description?: string }[]
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Record<string, any>>, securitySchemes: Record<string, Record<string, any>> }
}

/** The document of an app with these accounts, and with what `add` adds to it. */
export async function documentOf (
  t: Test,
  options: AccountsOptions = {},
  openapi: object = {},
  add: (app: FastifyInstance) => unknown = () => {}
): Promise<OpenapiDocument> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(swagger, { openapi: { openapi: '3.1.0', info: { title: 'Test', version: '1' }, ...openapi } })
  await app.register(accounts, { db: ':memory:', secret, password: cheap, ...options })
  await add(app)
  await app.ready()
  return app.swagger() as unknown as OpenapiDocument
}

export function operationsOf ({ paths }: OpenapiDocument): [name: string, operation: Operation][] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ])
  )
}

/** Judges values by schemas that stand in a document: null, or what is wrong. */
export function judgeOf ({ components }: OpenapiDocument): (schema: object, value: unknown) => string | null {
  const ajv = formats.default(new Ajv2020({ strict: false, allErrors: true }))
  const compiled = new Map<object, ReturnType<typeof ajv.compile>>()

  return (schema, value) => {
    const isRight = compiled.get(schema) ?? ajv.compile({ ...schema, components })
    compiled.set(schema, isRight)
    return isRight(value) ? null : ajv.errorsText(isRight.errors)
  }
}
