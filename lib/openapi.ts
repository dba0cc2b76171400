import type { FastifyInstance, RouteOptions } from 'fastify'
import { Forbidden, TokenStale } from './errors.ts'
import type { GuardSettings } from './guards/options.ts'
import { guardsOf } from './guards/routes.ts'
import type { Location } from './options.ts'
import { accessErrors, answers, refreshErrors, shown } from './routes/schemas.ts'
import type { Settings } from './settings.ts'
import type { TokenKind } from './tokens/keyring.ts'

/** A list of ways in: one of them will do. */
export type Security = Record<string, string[]>[]

type DocumentSettings = Pick<Settings, 'name' | 'header' | 'cookies' | 'routes'>

/** Each accounts' own names for their schemes, operations and tags: in one document they must differ. */
export function ownName (instance: string, name: string): string {
  return instance === 'accounts' ? name : `${instance}${name[0]!.toUpperCase()}${name.slice(1)}`
}

const schemeNames: Record<Exclude<Location, 'body'>, string> = { header: 'Token', cookie: 'Cookie', query: 'Query' }

/**
 * How the document says where a route looks for which token: one of these will do. An empty requirement: it does
 * without, or finds the token in the body, for which OpenAPI has no word.
 */
export function securityOf (instance: string, kind: TokenKind | 'any', locations: Location[], optional: boolean): Security {
  const kinds = kind === 'any' ? ['access', 'refresh'] : [kind]
  const named = kinds.flatMap((each) => locations.flatMap((place) => place === 'body' ? [] : [{ [ownName(instance, `${each}${schemeNames[place]}`)]: [] }]))
  return [...named, ...optional || locations.includes('body') ? [{}] : []]
}

function schemesOf ({ name, header, cookies, routes }: DocumentSettings): Record<string, object> {
  const isBearer = header.name === 'authorization' && header.scheme.toLowerCase() === 'bearer'
  const inHeader = isBearer ? { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } : { type: 'apiKey', in: 'header', name: header.name }

  const client = { type: 'http', scheme: 'basic', description: 'The id and the secret of a client of introspection, here or in the body.' }
  const tokens = (['access', 'refresh'] as const).flatMap((kind): [string, object][] => {
    const what = kind === 'access' ? 'An access token' : 'A refresh token'
    const schemes = {
      Token: { ...inHeader, description: `${what}${isBearer ? '' : ` after the word ${header.scheme}`}${kind === 'refresh' ? ', here or as refresh_token in the body' : ''}.` },
      Cookie: { type: 'apiKey', in: 'cookie', name: cookies[kind].name, description: `${what} in a cookie.` },
      Query: { type: 'apiKey', in: 'query', name: `${kind}_token`, description: `${what} in the query.` },
    }
    return Object.entries(schemes).map(([suffix, scheme]) => [ownName(name, `${kind}${suffix}`), scheme])
  })
  return { ...Object.fromEntries(tokens), ...routes.introspect && { [ownName(name, 'client')]: client } }
}

function refusalsOf (route: RouteOptions, { kind, locations, freshForSeconds, roles, check }: GuardSettings) {
  const reads = [route.method].flat().every((method) => method === 'GET' || method === 'HEAD')
  const needing = reads ? locations.filter((place) => place !== 'cookie') : locations
  return [
    ...kind === 'access' ? accessErrors(needing) : refreshErrors(needing),
    ...freshForSeconds === undefined ? [] : [TokenStale],
    ...roles.length > 0 || check ? [Forbidden] : [],
  ]
}

interface Transformed {
  schema: { body?: { properties: Record<string, { [shown]?: object }> } }
  url: string
  openapiObject: { components?: { securitySchemes?: Record<string, unknown> } }
}

/**
 * Declares our security schemes in the document that our routes are written into: @fastify/swagger has no other door
 * for a plugin, and fails on a scheme that nobody declared.
 */
export function documentScope (scope: FastifyInstance, settings: DocumentSettings): void {
  const schemes = schemesOf(settings)
  const { name } = settings

  function declareSchemes ({ schema, url, openapiObject }: Transformed) {
    openapiObject.components ??= {}
    openapiObject.components.securitySchemes = { ...schemes, ...openapiObject.components.securitySchemes }
    return { schema: withShown(schema), url }
  }

  scope.addHook('onRoute', (route) => {
    const { operationId, ...schema } = route.schema as { operationId: string }
    route.schema = { ...schema, operationId: ownName(name, operationId), tags: [name] } as object
    route.config = { ...route.config, swaggerTransform: declareSchemes } as object
  })
}

/** The schema with what only the document says. */
function withShown ({ body, ...schema }: Transformed['schema']): Transformed['schema'] {
  if (!body) return schema
  const properties = Object.entries(body.properties).map(([name, field]) => [name, { ...field, ...field[shown] }])
  return { ...schema, body: { ...body, properties: Object.fromEntries(properties) } }
}

/** Notes that a route of a scope has these guards. */
export type Document = (scope: FastifyInstance, route: RouteOptions, guards: GuardSettings[]) => void

/** The guards of each route, whichever accounts they belong to, and the `security` that we gave it. */
const guarded = new WeakMap<RouteOptions, { guards: Set<GuardSettings>, security: Security }>()

/**
 * Tells @fastify/swagger which routes ask for a token. The schema is replaced by a copy, and refusals are added only
 * when the app is ready and its serializers are made: earlier they would change what the host's handlers send. Where
 * the scope has a serializer compiler of its own, schemas are in its language, and none are added. Needs a route of
 * ours in the document, to declare the schemes.
 */
export function documentGuards (app: FastifyInstance): Document {
  const ours = new Set<RouteOptions>()

  function document (scope: FastifyInstance, route: RouteOptions, guards: GuardSettings[]): void {
    const before = guarded.get(route)
    const all = new Set([...before?.guards ?? [], ...guards])
    const security = [...all].map(securityOfGuard).reduce(bothOf)
    guarded.set(route, { guards: all, security })
    if (!scope.serializerCompiler) ours.add(route)

    const { security: given } = { ...route.schema } as { security?: Security }
    const isOwn = given === undefined || given === before?.security
    route.schema = { ...route.schema, ...isOwn && { security } }
  }

  app.addHook('onRoute', function (route) {
    const guards = guardsOf(route)
    if (guards.length > 0) document(this, route, guards)
  })

  app.addHook('onReady', async () => {
    for (const route of ours) {
      const given = route.schema!.response ?? { 200: { description: 'Default Response' } }
      const refusals = [...guarded.get(route)!.guards].flatMap((guard) => refusalsOf(route, guard))
      route.schema = { ...route.schema, response: { ...answers({}, ...refusals), ...given } }
    }
  })

  return document
}

function securityOfGuard ({ instance, kind, locations, optional }: GuardSettings): Security {
  return securityOf(instance, kind, locations, optional !== false)
}

/** Two guards on one route: each way into the one together with each way into the other. */
function bothOf (first: Security, second: Security): Security {
  return first.flatMap((one) => second.map((other) => ({ ...one, ...other })))
}
