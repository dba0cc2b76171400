import { createHash } from 'node:crypto'
import { Type } from '@sinclair/typebox'
import type { ApiKeys } from '../api-keys/open.ts'
import type { AddRoutes } from '../feature.ts'
import type { Spine } from '../spine.ts'
import type { IntrospectionSettings } from './options.ts'
import { isEqual } from '../../secrets/equal.ts'
import { ClientInvalid } from './errors.ts'
import type { AnyRequest } from '../../http/request.ts'
import { isOurs } from '../../http/our-error.ts'
import { tokenFields, tokenForms } from './schema.ts'
import { bodyErrors } from '../../guards/answers.ts'
import { answers, tags } from '../../http/answers.ts'
import { acceptForms } from '../../http/scope.ts'

interface Credentials {
  client_id?: string
  client_secret?: string
}

export function introspect (
  { guards: { admission }, openapi: { clientScheme }, sessions, tokens }: Spine,
  apiKeys: ApiKeys | undefined,
  { introspection }: IntrospectionSettings
): AddRoutes {
  const schema = {
    operationId: 'introspect',
    summary: 'Introspect a token (RFC 7662)',
    description: 'For other services, with an id and a secret, in Authorization: Basic or in the body.',
    tags,
    consumes: tokenForms,
    security: [{ [clientScheme]: [] }, {}],
    body: Type.Object({
      ...tokenFields,
      client_id: Type.Optional(Type.String({ description: 'Where it does not stand in Authorization: Basic.' })),
      client_secret: Type.Optional(Type.String({ description: 'As its id.' })),
    }),
    response: answers(
      {
        200: Type.Object(
          {
            active: Type.Boolean({ description: 'Whether the token is valid.', examples: [true] }),
            token_type: Type.Optional(Type.String({ description: 'Bearer or refresh_token.', examples: ['Bearer'] })),
            username: Type.Optional(
              Type.Union([Type.String(), Type.Null()], { description: 'Whose it is.', examples: ['ada'] })
            ),
          },
          {
            additionalProperties: true,
            description: 'The claims of a valid token; for any other only active: false',
          }
        ),
      },
      ...bodyErrors,
      ClientInvalid
    ),
  }

  function requireClient (request: AnyRequest, body: Credentials): void {
    const { client_id: id, client_secret: secret } = basicOf(request.headers.authorization) ?? body
    const known = introspection.clients.find((client) => client.id === id)
    // A client that is not there takes as long as a wrong secret.
    if (!isEqual(digest(secret ?? ''), digest(known?.secret ?? '\0')) || !known) throw new ClientInvalid()
  }

  async function describeKey (text: string, request: AnyRequest) {
    const { key: { claims }, user: { username } } = await apiKeys!.inspect(text, request)
    return { ...claims, active: true, token_type: 'Bearer', username }
  }

  async function describe (text: string, request: AnyRequest) {
    if (apiKeys?.isMeant(text)) return describeKey(text, request)
    const token = tokens.verify(text, ['access', 'refresh'])
    const user =
      token.kind === 'access' ? await sessions.useStrictly(token.claims) : (await sessions.peek(token.claims)).user
    await admission.askHost(token.claims, request)
    return {
      ...token.claims,
      active: true,
      token_type: token.kind === 'access' ? 'Bearer' : 'refresh_token',
      username: user.username,
    }
  }

  return (scope, path) =>
    acceptForms(scope, (forms) =>
      forms.post(path, { schema }, async (request) => {
        requireClient(request, request.body)
        return describe(request.body.token, request).catch((error) => {
          if (isOurs(error) && error.statusCode === 401) return { active: false }
          throw error
        })
      })
    )
}

/** RFC 6749 §2.3.1: both halves are form-encoded before they are joined. */
function basicOf (authorization = ''): Credentials | undefined {
  const [, encoded] = /^basic +([A-Za-z0-9+/=]+)$/i.exec(authorization) ?? []
  if (encoded === undefined) return
  const [id = '', ...rest] = Buffer.from(encoded, 'base64').toString().split(':')
  return { client_id: fromForm(id), client_secret: fromForm(rest.join(':')) }
}

function fromForm (text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}

function digest (text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
