import type { FastifyBaseLogger, RouteOptions } from 'fastify'

/** Where pino, and so Fastify, keeps the serializers of a logger. */
const serializers = Symbol.for('pino.serializers')

type Serializer = (value: any) => unknown

/** Keeps tokens in a query out of the log: the line about a request that comes in shows its URL. */
export function hideTokens (route: RouteOptions, log: FastifyBaseLogger): void {
  const usual = route.logSerializers?.req ?? (log as { [serializers]?: { req?: Serializer } })[serializers]?.req
  if (!usual) return

  route.logSerializers = { ...route.logSerializers, req: (request: unknown) => hidden(usual(request)) }
}

function hidden (line: unknown): unknown {
  if (typeof line !== 'object' || line === null) return line
  return Object.fromEntries(Object.entries(line).map(([name, value]) =>
    [name, typeof value === 'string' ? value.replace(/((?:access|refresh)_token=)[^&#]*/gi, '$1[hidden]') : value]))
}
