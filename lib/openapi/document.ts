import type { FastifyError } from '@fastify/error'
import type { TSchema } from '@sinclair/typebox'
import type { FastifyInstance, RouteOptions } from 'fastify'
import { createComponents, ownName, type OpenapiDocument } from '../http/component.ts'
import { EmailUnverified, Forbidden, Impersonated, KeyRefused, TokenStale } from '../guards/errors.ts'
import { OptionsInvalid } from '../http/errors.ts'
import { errorAnswerOf, exampleOf, type ErrorSettings, type Exemplary } from './examples.ts'
import { proofRule } from '../transport/csrf.ts'
import { isOpenToBorrowed, type GuardSettings } from '../guards/options.ts'
import type { Document } from '../guards/protect.ts'
import { guardsOf } from '../guards/route-hooks.ts'
import { accessErrors, refreshErrors } from '../guards/answers.ts'
import { answers, errorsBehind, ErrorSchema, inDocument, withRefusals, type ErrorClass } from '../http/answers.ts'
import type { TokenKind } from '../tokens/keyring.ts'
import type { Location, TransportSettings } from '../transport/options.ts'

/** The `security` of an operation: one of its requirements will do. */
export type Security = Record<string, string[]>[]

/** What the settings say of the document. */
export interface DocumentSettings
  extends ErrorSettings, Pick<TransportSettings, 'cookies' | 'csrf' | 'locations' | 'header'> {
  /** The name of the accounts, and so of the tag of their routes. */
  name: string
  /** Undefined where there are no API keys. */
  apiKeys?: { header?: string | undefined, prefix: string } | undefined
  /** Whether there are sessions that admins have borrowed. */
  lendsSessions: boolean
  routes: {
    /** Where clients ask about tokens. Default nowhere. */
    introspect?: string
  }
}

const schemeNames: Record<Exclude<Location, 'body'>, string> = {
  header: 'Token', cookie: 'Cookie', query: 'Query', protocol: 'Protocol',
}

/** By which requirements a route is met. */
interface Asking {
  kind: TokenKind | 'any'
  locations: Location[]
  optional: boolean
  /** The schemes of API keys, where it takes them. */
  keySchemes: string[]
}

/**
 * The requirements of a route that looks for a token in these places. An empty one says that the route does without, or
 * finds the token in the body, for which OpenAPI has no scheme.
 */
function securityOf (instance: string, { kind, locations, optional, keySchemes }: Asking): Security {
  const kinds = kind === 'any' ? ['access', 'refresh'] : [kind]
  const named = kinds.flatMap((each) => {
    const besideBody = locations.filter((place) => place !== 'body')
    const places = besideBody.filter((place) => place !== 'protocol' || each === 'access')
    return places.map((place) => ({ [ownName(instance, `${each}${schemeNames[place]}`)]: [] }))
  })
  const keys = keySchemes.map((suffix) => ({ [ownName(instance, suffix)]: [] }))
  const all = [...named, ...keys]
  return optional || locations.includes('body') ? [...all, {}] : all
}

function schemesOf ({ name, header, cookies, routes, apiKeys }: DocumentSettings): Record<string, object> {
  const isBearer = header.name === 'authorization' && header.scheme.toLowerCase() === 'bearer'
  const inAnyForm = isBearer
    ? { type: 'http', scheme: 'bearer' }
    : { type: 'apiKey', in: 'header', name: header.name }
  const inHeader = { ...inAnyForm, ...isBearer && { bearerFormat: 'JWT' } }
  const afterWord = isBearer || header.scheme === '' ? '' : ` after the word ${header.scheme}`

  const client = {
    type: 'http',
    scheme: 'basic',
    description: 'The id and the secret of a client of introspection, here or in the body.',
  }
  const tokens = (['access', 'refresh'] as const).flatMap((kind): [string, object][] => {
    const what = kind === 'access' ? 'An access token' : 'A refresh token'
    const orInBody = kind === 'refresh' ? ', here or as refresh_token in the body' : ''
    const schemes = {
      Token: { ...inHeader, description: `${what}${afterWord}${orInBody}.` },
      Cookie: { type: 'apiKey', in: 'cookie', name: cookies[kind].name, description: `${what} in a cookie.` },
      Query: { type: 'apiKey', in: 'query', name: `${kind}_token`, description: `${what} in the query.` },
      Protocol: {
        type: 'apiKey',
        in: 'header',
        name: 'Sec-WebSocket-Protocol',
        description: `${what} after access_token. as a subprotocol of a WebSocket, and not the first one.`,
      },
    }
    return Object.entries(schemes).map(([suffix, scheme]) => [ownName(name, `${kind}${suffix}`), scheme])
  })
  const key = (after: string) => ({ description: `An API key, ${apiKeys?.prefix}_…${after}.` })
  const keys = {
    [ownName(name, 'apiKey')]: { ...inAnyForm, ...key(afterWord) },
    [ownName(name, 'apiKeyHeader')]: { type: 'apiKey', in: 'header', name: apiKeys?.header, ...key('') },
  }
  return { ...Object.fromEntries(tokens), ...keys, ...routes.introspect && { [ownName(name, 'client')]: client } }
}

/** The errors that a guard may answer with on a route. */
function refusalsOf (
  route: RouteOptions,
  { kind, locations, freshForSeconds, roles, permission, verified, check, keys, scopes }: GuardSettings,
  needsProof: (method: string) => boolean,
  refusalsOfOthers: ErrorClass[]
) {
  const isUpgraded = 'wsHandler' in route || (route as { websocket?: boolean }).websocket === true
  const isProofNeeded = isUpgraded || [route.method].flat().some(needsProof)
  const places = isProofNeeded ? locations : locations.filter((place) => place !== 'cookie')
  return [
    ...kind === 'access' ? accessErrors(places) : refreshErrors(places),
    ...freshForSeconds === undefined ? [] : [TokenStale],
    ...roles.length > 0 || permission || check || (keys && scopes.length > 0) ? [Forbidden] : [],
    ...verified ? [EmailUnverified] : [],
    ...refusalsOfOthers,
  ]
}

/** The `response` of a route for one status, as `answers` makes it. */
interface AnswerSchema extends Exemplary {
  type?: string
  description?: string
  headers?: Record<string, object>
  [errorsBehind]?: FastifyError[]
}

/** The headers that errors may have, by their names. */
const errorHeaders: Record<string, object> = {
  'www-authenticate': { type: 'string', description: 'The challenge: which scheme, and what is wrong with the token.' },
  'retry-after': { type: 'integer', description: 'Seconds until it is worth another try.' },
}

/** An answer as @fastify/swagger takes it, with its media type, headers and examples. */
function writeAnswer (schema: AnswerSchema, written: object, mediaType: string, settings: DocumentSettings): object {
  const { type, description, headers: own, [errorsBehind]: errors } = schema
  if (type === 'null') return schema
  if (!errors) {
    const content = { [mediaType]: { schema: written, example: exampleOf(schema) } }
    return { description, ...own && { headers: own }, content }
  }

  const names = errors.flatMap(({ headers = {} }: FastifyError & { headers?: object }) => Object.keys(headers))
  const headers = { ...Object.fromEntries(names.map((name) => [name, errorHeaders[name]])), ...own }
  const examples = errors.map((error) => [error.code, { value: errorAnswerOf(error, settings) }])
  return {
    description,
    ...Object.keys(headers).length > 0 && { headers },
    content: { 'application/json': { schema: written, examples: Object.fromEntries(examples) } },
  }
}

interface Transformed {
  schema: {
    response: Record<string, AnswerSchema>
    produces?: string[]
    body?: { properties: Record<string, { [inDocument]?: object }> }
  }
  url: string
  openapiObject?: OpenapiDocument
}

/** The schema with the keywords that fields keep for the document alone. */
function withDocumentKeywords ({ body, ...schema }: Transformed['schema']): Transformed['schema'] {
  if (!body) return schema
  const properties = Object.entries(body.properties).map(([name, field]) => [name, { ...field, ...field[inDocument] }])
  return { ...schema, body: { ...body, properties: Object.fromEntries(properties) } }
}

/** The guards of each route, whichever accounts they belong to, and the `security` that we gave it. */
const guarded = new WeakMap<RouteOptions, { guards: Set<GuardSettings>, security: Security }>()

/** What the schemas of our own routes need of the document. */
export interface Documenting {
  /** The `security` of a route that looks for a token in these places. */
  securityOf: (kind: TokenKind | 'any', locations: Location[]) => Security
  /** The name of the scheme by which clients of introspection authenticate. */
  clientScheme: string
  /** What routes that take API keys may refuse with besides. A feature adds its own when it is opened. */
  keyErrors: ErrorClass[]
}

/** Writes into the document that @fastify/swagger makes. */
export interface Openapi extends Documenting {
  documentScope: (scope: FastifyInstance) => void
  documentGuards: (app: FastifyInstance) => Document
}

export function createOpenapi (settings: DocumentSettings): Openapi {
  const { name } = settings
  const schemes = schemesOf(settings)
  const needsProof = proofRule(settings.csrf.methods)
  const { apiKeys } = settings
  const keySchemes = apiKeys ? ['apiKey', ...apiKeys.header === undefined ? [] : ['apiKeyHeader']] : []
  const keyErrors: ErrorClass[] = []
  const usualSecurity = securityOf(name,
    { kind: 'any', locations: ['header', ...settings.locations], optional: false, keySchemes })
  const usual = [...usualSecurity.flatMap(Object.keys), ownName(name, 'client')]
  const routes = new Set<RouteOptions>()
  const components = createComponents(name)
  /** The reference to our errors in a document, filled in with our first route: guarded routes come after ours. */
  const errorReference = {}

  /** The schemes that our routes or the host's name, and the usual ones, which the host may name later. */
  function schemesIn (document: OpenapiDocument): Record<string, object> {
    const asking = [document, ...[...routes].map(({ schema }) => schema)] as ({ security?: Security } | undefined)[]
    const named = new Set([...usual, ...asking.flatMap((part) => part?.security ?? []).flatMap(Object.keys)])
    return Object.fromEntries(Object.entries(schemes).filter(([scheme]) => named.has(scheme)))
  }

  /**
   * The transform of our routes, by which @fastify/swagger lets a plugin write into the document: also the schemes,
   * without which it fails.
   */
  function writeRoute ({ schema, url, openapiObject: document }: Transformed) {
    if (!document) {
      throw new OptionsInvalid('@fastify/swagger makes a document of Swagger 2, which has no words for this: ' +
        'give it the option openapi')
    }

    document.components.securitySchemes = { ...schemesIn(document), ...document.components.securitySchemes }
    if (!document.tags?.some((tag) => tag.name === name)) {
      document.tags = [...document.tags ?? [], { name, description: 'Accounts of users, and their sessions.' }]
    }
    Object.assign(errorReference, components.write(document, ErrorSchema))

    const { response, produces: [mediaType = 'application/json'] = [], ...rest } = withDocumentKeywords(schema)
    const answers = Object.entries(response).map(([status, answer]) =>
      [status, writeAnswer(answer, components.write(document, answer), mediaType, settings)])
    return { schema: { ...rest, response: Object.fromEntries(answers) }, url }
  }

  /** What a guard refuses API keys and borrowed sessions with, where there are any. */
  function refusalsOfOthers (guard: GuardSettings): ErrorClass[] {
    const ofKeys = guard.keys ? keyErrors : [KeyRefused]
    return [...apiKeys ? ofKeys : [], ...settings.lendsSessions && !isOpenToBorrowed(guard) ? [Impersonated] : []]
  }

  function securityOfGuard ({ instance, kind, locations, optional, keys }: GuardSettings): Security {
    return securityOf(instance, { kind, locations, optional: optional !== false, keySchemes: keys ? keySchemes : [] })
  }

  /** Puts the routes of a scope, which are ours, into the document, but for pages, which are no part of an API. */
  function documentScope (scope: FastifyInstance): void {
    scope.addHook('onRoute', (route) => {
      const { operationId, hide, ...schema } = route.schema as
        { operationId: string, hide?: boolean, response: Record<number, TSchema> }
      if (hide) {
        route.config = { ...route.config, swaggerTransform: false } as object
        return
      }
      // Open routes have an empty `security`, since a document may ask for something everywhere.
      const response = withRefusals(schema.response, ...guardsOf(route).flatMap(refusalsOfOthers))
      const named = { operationId: ownName(name, operationId), tags: [name] }
      route.schema = { security: [], ...schema, response, ...named } as object
      route.config = { ...route.config, swaggerTransform: writeRoute } as object
    })
  }

  /**
   * Documents which routes of the host's ask for a token. The schema of a route is replaced by a copy, and errors are
   * added only when the app is ready and its serializers are made: earlier they would change what the host's handlers
   * send. Where the scope has a serializer compiler of its own, its schemas may not be JSON Schema, and no errors are
   * added. The schemes are declared by our own routes.
   */
  function documentGuards (app: FastifyInstance): Document {
    const theirs = new Set<RouteOptions>()

    function document (scope: FastifyInstance, route: RouteOptions, guards: GuardSettings[]): void {
      const before = guarded.get(route)
      const all = new Set([...before?.guards ?? [], ...guards])
      const security = [...all].map(securityOfGuard).reduce(bothOf)
      guarded.set(route, { guards: all, security })
      if (!scope.serializerCompiler) theirs.add(route)

      const { security: given } = { ...route.schema } as { security?: Security }
      const isOwn = given === undefined || given === before?.security
      const description = describing(route.schema as { description?: string } | undefined, guards)
      route.schema = { ...route.schema, ...description && { description }, ...isOwn && { security } } as object
    }

    app.addHook('onRoute', function (route) {
      routes.add(route)
      const guards = guardsOf(route)
      if (guards.length > 0) document(this, route, guards)
    })

    app.addHook('onReady', async () => {
      for (const route of theirs) {
        const given = route.schema!.response ?? { 200: { description: 'Default Response' } }
        const guards = [...guarded.get(route)!.guards]
        const refusals = answers({}, ...guards.flatMap((guard) =>
          refusalsOf(route, guard, needsProof, refusalsOfOthers(guard))))
        const written = Object.entries(refusals).map(([status, answer]) =>
          [status, writeAnswer(answer, errorReference, 'application/json', settings)])
        route.schema = { ...route.schema, response: { ...Object.fromEntries(written), ...given } }
      }
    })

    return document
  }

  return {
    documentScope,
    documentGuards,
    securityOf: (kind, locations) => securityOf(name, { kind, locations, optional: false, keySchemes: [] }),
    clientScheme: ownName(name, 'client'),
    keyErrors,
  }
}

/** The description of a route, with the scopes that API keys need there. */
function describing (schema: { description?: string } | undefined, guards: GuardSettings[]): string | undefined {
  const scopes = guards.flatMap(({ keys, scopes }) => keys ? scopes : [])
  const given = schema?.description
  if (scopes.length === 0) return given
  return `${given === undefined ? '' : `${given} `}API keys need: ${[...new Set(scopes)].join(', ')}.`
}

/** The security of two guards on one route: each requirement of the one together with each of the other. */
function bothOf (first: Security, second: Security): Security {
  return first.flatMap((one) => second.map((other) => ({ ...one, ...other })))
}
