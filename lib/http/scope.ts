import type { ErrorObject } from 'ajv'
import fastJson, { type AnySchema } from 'fast-json-stringify'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type {
  FastifyBaseLogger, FastifyInstance, FastifyRequest, RawReplyDefaultExpression, RawRequestDefaultExpression,
  RawServerDefault, RouteHandlerMethod
} from 'fastify'
import { isError } from '../checks/any-error.ts'
import { type Compiling, type InputKind } from './compiling.ts'
import { createDeadline, type Deadline } from './deadline.ts'
import { membersOf } from './error-members.ts'
import { InputInvalid } from './errors.ts'
import { inputInvalid, type Input } from './input.ts'
import type { Wording } from './wording.ts'

/** The scope that our routes live in: bodies have the types of their schemas. */
export type Scope = FastifyInstance<
  RawServerDefault, RawRequestDefaultExpression, RawReplyDefaultExpression, FastifyBaseLogger, TypeBoxTypeProvider>

/** In bytes. No route of ours needs a longer body. */
const bodyLimit = 16 * 1024

/** Deeper bodies would make validators and serializers run out of stack. */
const mostDepth = 32

/**
 * Makes our routes answer alike in every host: they have a parser, a validator and a serializer of their own, whatever
 * the app around them uses (zod, coercion, forms), and no cache may keep their answers.
 */
export function prepareScope (scope: Scope, input: Input, compiling: Compiling, wording: Wording): void {
  const parseJson = scope.getDefaultJsonParser('error', 'error')

  // JSON alone: a form or text/plain could be posted by any other site (RFC 6749 §10.12).
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('application/json', { parseAs: 'string', bodyLimit }, (request, body, done) => {
    // The usual fetch() of a logout names JSON and sends none.
    if (body === '') return done(null)
    return parseJson(request, body as string, (error, value) => {
      if (error) return done(new InputInvalid('The body is not valid JSON'))
      if (isDeeperThan(mostDepth, value)) return done(new InputInvalid('The body is nested too deeply'))
      return done(null, value)
    })
  })

  scope.setValidatorCompiler(({ schema, httpPart, method }) =>
    input.compile(schema as object, kindOf(httpPart, method)))
  scope.setSchemaErrorFormatter((errors, place) => inputInvalid(errors as ErrorObject[], place))
  scope.setSerializerCompiler(({ schema, httpStatus }) =>
    Number(httpStatus) < 400 ? compiling(() => fastJson(schema as AnySchema)) : errorText)

  // Our routes guard themselves: who protects the whole app must still let people in.
  scope.addHook('onRoute', (route) => {
    route.config = { ...route.config, auth: false }
    route.handler = sendAsText(route.handler)
  })
  scope.addHook('onRequest', async (_request, reply) => {
    reply.headers({ 'cache-control': 'no-store', pragma: 'no-cache' })
  })
  limitWaiting(scope)
  scope.addHook('preValidation', async (request) => {
    if (request.body === undefined) request.body = {}
  })
  scope.addHook('onError', async (request, _reply, error) => { wording(error, request) })
}

/** Gives each request one deadline for everything that it waits for, except for its body, which the client sends. */
function limitWaiting (scope: Scope): void {
  const deadlines = new WeakMap<FastifyRequest, Deadline>()

  scope.addHook('onRequest', (request, _reply, done) => {
    const deadline = createDeadline()
    deadlines.set(request, deadline)
    deadline.run(done)
  })
  scope.addHook('preParsing', (request, _reply, _payload, done) => {
    deadlines.get(request)!.pause()
    done()
  })
  scope.addHook('preValidation', (request, _reply, done) => {
    const deadline = deadlines.get(request)!
    deadline.resume()
    deadline.run(done)
  })
  scope.addHook('onResponse', (request, _reply, done) => {
    deadlines.get(request)?.end()
    done()
  })
}

/**
 * Adds routes that take forms too, as RFC 7009 and RFC 7662 want it. Such a request brings its token along, so that
 * another site has nothing to gain by sending it.
 */
export function acceptForms (scope: Scope, add: (scope: Scope) => void): void {
  scope.register(async (child) => {
    const asText = { parseAs: 'string', bodyLimit } as const
    child.addContentTypeParser<string>('application/x-www-form-urlencoded', asText, (_request, body, done) => {
      const fields = [...new URLSearchParams(body)]
      const isDoubled = new Set(fields.map(([name]) => name)).size < fields.length
      // RFC 6749 §3.1.
      done(isDoubled ? new InputInvalid('body must not have a field twice') : null, Object.fromEntries(fields))
    })
    add(child.withTypeProvider<TypeBoxTypeProvider>())
  })
}

function isDeeperThan (levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(levels - 1, inner))
}

/** The values of a query are texts, and a PATCH holds only what is to change. */
function kindOf (part: string | undefined, method: string): InputKind {
  if (part === 'querystring') return 'query'
  return method === 'PATCH' ? 'change' : 'whole'
}

/**
 * Sends what a handler answers as the text that its schema makes of it. Hooks and serializers of the host change only
 * objects, so our answers stay as our document says.
 */
function sendAsText (handler: RouteHandlerMethod): RouteHandlerMethod {
  return async function (request, reply) {
    const answer = await handler.call(this, request, reply)
    if (answer === undefined || answer === reply) return answer

    if (!reply.hasHeader('content-type')) reply.type('application/json; charset=utf-8')
    return textOf(answer as Record<string, unknown>, reply.getSerializationFunction(String(reply.statusCode))!)
  }
}

/** A session keeps the transport that it began with, whose answers the schema may not know since the option changed. */
function textOf (answer: Record<string, unknown>, bySchema: (answer: Record<string, unknown>) => string): string {
  try {
    return bySchema(answer)
  } catch {
    return JSON.stringify(answer)
  }
}

/** An error in Fastify's form, or what the host's own error handler made of it. */
function errorText (answer: unknown): string {
  if (!isError(answer)) return JSON.stringify(answer)
  const { statusCode, code, error, message } = answer as Error & Record<string, unknown>
  return JSON.stringify({ statusCode, code, error, message, ...membersOf(answer) })
}
