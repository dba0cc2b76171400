import type { FastifyBaseLogger, RouteOptions } from 'fastify'

/** Where pino, and so Fastify, keeps the serializers of a logger. */
const serializers = Symbol.for('pino.serializers')

type Serializer = (value: any) => unknown

/** A token among the subprotocols of a WebSocket. */
const offeredToken = /(^|[\s,])access_token\.[^\s,]*/gi

/** A parameter of a query, after the character before it. */
const parameter = /([?&;])([^?&;=\s]+)=[^&;#\s]*/g

const tokenName = /^(access|refresh)_token(\[.*)?$/i

/** No serializer shows a request in deeper objects than this. */
const mostDepth = 5

/**
 * Keeps tokens in a query, and those among subprotocols, out of the log: the line about an incoming request has its URL
 * and, with a serializer of the app's, its headers.
 */
export function hideTokens (route: RouteOptions, log: FastifyBaseLogger): void {
  const usual = route.logSerializers?.req ?? (log as { [serializers]?: { req?: Serializer } })[serializers]?.req
  if (!usual) return

  route.logSerializers = { ...route.logSerializers, req: (request: unknown) => hidden(usual(request)) }
}

function hidden (value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return hiddenIn(value)
  if (typeof value !== 'object' || value === null || depth > mostDepth) return value
  if (Array.isArray(value)) return value.map((item) => hidden(item, depth + 1))
  const members = Object.entries(value).map(([name, inner]) =>
    [name, tokenName.test(name) ? '[hidden]' : hidden(inner, depth + 1)])
  return Object.fromEntries(members)
}

function hiddenIn (text: string): string {
  return text
    .replace(parameter, (pair, mark, name) => tokenName.test(decoded(name)) ? `${mark}${name}=[hidden]` : pair)
    .replace(offeredToken, '$1access_token.[hidden]')
}

function decoded (name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}
