import type { FastifyInstance, RouteOptions } from 'fastify'
import { Forbidden, TokenStale } from './errors.ts'
import type { GuardSettings } from './guards/options.ts'
import { guardsOf } from './guards/routes.ts'
import { accessErrors, answers, refreshErrors } from './routes/schemas.ts'

/** How the document says which token a route asks for. An empty requirement: it does without. */
function securityOf ({ kind, optional }: GuardSettings): object[] {
  const wanted = { access: [{ accessToken: [] }], refresh: [{ refreshToken: [] }], any: [{ accessToken: [] }, { refreshToken: [] }] }
  return [...wanted[kind], ...optional ? [{}] : []]
}

function refusalsOf ({ kind, freshForSeconds, roles, check }: GuardSettings) {
  return [
    ...kind === 'access' ? accessErrors : refreshErrors,
    ...freshForSeconds === undefined ? [] : [TokenStale],
    ...roles.length > 0 || check ? [Forbidden] : [],
  ]
}

const securitySchemes = {
  accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'An access token.' },
  refreshToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'A refresh token, here or as refresh_token in the body.' },
}

interface Transformed {
  schema: unknown
  url: string
  openapiObject: { components?: { securitySchemes?: Record<string, unknown> } }
}

/**
 * Declares our security schemes in the document that our routes are written into: @fastify/swagger has no other door
 * for a plugin, and fails on a scheme that nobody declared.
 */
export function documentScope (scope: FastifyInstance): void {
  scope.addHook('onRoute', (route) => {
    route.config = { ...route.config, swaggerTransform: declareSchemes } as object
  })
}

function declareSchemes ({ schema, url, openapiObject }: Transformed) {
  openapiObject.components ??= {}
  openapiObject.components.securitySchemes = { ...securitySchemes, ...openapiObject.components.securitySchemes }
  return { schema, url }
}

/**
 * Tells @fastify/swagger which routes ask for a token. The schema is replaced by a copy, and refusals are added only
 * when the app is ready and its serializers are made: earlier they would change what the host's handlers send. Needs a
 * route of ours in the document, to declare the schemes.
 */
export function documentGuards (app: FastifyInstance) {
  const guarded = new Map<RouteOptions, GuardSettings>()

  function document (route: RouteOptions, guard: GuardSettings): void {
    guarded.set(route, guard)
    route.schema = { security: securityOf(guard), ...route.schema } as object
  }

  app.addHook('onRoute', (route) => {
    const [guard] = guardsOf(route)
    if (guard) document(route, guard)
  })

  app.addHook('onReady', async () => {
    for (const [route, guard] of guarded) {
      const given = route.schema!.response ?? { 200: { description: 'Default Response' } }
      route.schema = { ...route.schema, response: { ...answers({}, ...refusalsOf(guard)), ...given } }
    }
  })

  return document
}
