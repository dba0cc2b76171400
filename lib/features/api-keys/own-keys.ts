import { Type } from '@sinclair/typebox'
import { accessErrors, bodyErrors, strongErrors } from '../../guards/answers.ts'
import { TokenStale } from '../../guards/errors.ts'
import { answers, NothingSchema, tags } from '../../http/answers.ts'
import { clientOf, type AnyRequest } from '../../http/request.ts'
import { NotFound } from '../../users/errors.ts'
import type { AddRoutes } from '../feature.ts'
import type { Spine } from '../spine.ts'
import { KeysFull } from './errors.ts'
import type { KeyAsker, MadeKey, Managing } from './managing.ts'
import type { OpenKeySettings } from './options.ts'
import type { Rows } from './rows.ts'
import { KeySchema, NameSchema, NewKeySchema, shownKey, WantedSchema } from './schema.ts'

/** The longest overlap of a rotation, in seconds. */
export const mostOverlapSeconds = 7 * 86_400

/** The API keys of who is signed in. */
export function ownKeys (
  { database, guards, settings }: Spine, { rows, managing }: { rows: Rows, managing: Managing },
  keySettings: OpenKeySettings
): AddRoutes {
  const { locations } = settings
  const params = Type.Object({ id: Type.String({ description: 'The id of a key.' }) })
  const onRequest = guards.ownAuthenticate
  const onMaking = guards.ownGuard({ fresh: true, strong: 'with-factor', consistency: 'strict' })
  const makingErrors = [...accessErrors(locations), ...strongErrors(settings), ...bodyErrors, TokenStale]

  const create = {
    operationId: 'createKey',
    summary: 'Make an API key',
    description: 'Its text is in this answer and never again. Asks for a password that was given within 10 minutes: ' +
      'see reauthenticate.',
    tags,
    body: WantedSchema(keySettings),
    response: answers({ 201: NewKeySchema }, ...makingErrors, KeysFull),
  }

  const list = {
    operationId: 'listKeys',
    summary: 'The API keys of the signed-in user that are good',
    tags,
    response: answers({
      200: Type.Object({ keys: Type.Array(KeySchema) }, { description: 'The oldest first' }),
    }, ...accessErrors()),
  }

  const rename = {
    operationId: 'renameKey',
    summary: 'Give an API key another name',
    description: 'Not found, too, is what belongs to somebody else.',
    tags,
    params,
    body: Type.Object({ name: NameSchema }, { additionalProperties: false }),
    response: answers({ 200: KeySchema }, ...accessErrors(locations), ...bodyErrors, NotFound),
  }

  const rotate = {
    operationId: 'rotateKey',
    summary: 'Give an API key another text',
    description: 'It lives as long from now on as it did at first. The text of before is good for the overlap. Asks ' +
      'for a password that was given within 10 minutes: see reauthenticate.',
    tags,
    params,
    body: Type.Object({
      overlap: Type.Optional(Type.Integer({
        minimum: 0,
        maximum: mostOverlapSeconds,
        description: 'For how many seconds the text of before is still good.',
        examples: [86_400],
      })),
    }, { additionalProperties: false }),
    response: answers({ 200: NewKeySchema }, ...makingErrors, NotFound),
  }

  const revoke = {
    operationId: 'revokeKey',
    summary: 'End an API key',
    description: 'Not found, too, is what belongs to somebody else.',
    tags,
    params,
    response: answers({ 204: NothingSchema }, ...accessErrors(locations), ...bodyErrors, NotFound),
  }

  return (scope, path) => {
    scope.post(path, { schema: create, onRequest: onMaking }, async (request, reply) => {
      const { name, scopes, expires_in: lifetime } = request.body
      const made = await managing.create(request.auth.claims.sub, { name: name.trim(), scopes, lifetime }, by(request))
      reply.code(201)
      return shownOnce(made)
    })

    scope.get(path, { schema: list, onRequest }, async ({ auth: { claims: { sub } } }) => {
      const found = await database.run((em) => rows.livingOf(em, sub))
      return { keys: found.map(shownKey) }
    })

    scope.patch(`${path}/:id`, { schema: rename, onRequest }, async (request) => {
      const { params: { id }, body: { name }, auth: { claims: { sub } } } = request
      const isRenamed = await database.run((em) => rows.change(em, sub, id, { name: name.trim() }))
      const found = isRenamed && await database.run((em) => rows.find(em, id))
      if (!found) throw new NotFound()
      return shownKey(found)
    })

    scope.post(`${path}/:id/rotate`, { schema: rotate, onRequest: onMaking }, async (request) => {
      const { params: { id }, body: { overlap }, auth: { claims: { sub } } } = request
      return shownOnce(await managing.rotate(sub, id, overlap, by(request)))
    })

    scope.delete(`${path}/:id`, { schema: revoke, onRequest }, async (request, reply) => {
      const { params: { id }, auth: { claims: { sub }, sessionId } } = request
      if (!await managing.revoke(sub, id, { client: clientOf(request), sessionId })) throw new NotFound()
      reply.code(204)
    })
  }
}

/** Who asks, as they were when the guard has looked. */
function by (request: AnyRequest): KeyAsker {
  const { claims: { ver: epoch }, sessionId } = request.auth
  return { client: clientOf(request), sessionId, epoch }
}

function shownOnce ({ key, row }: MadeKey) {
  return { key, ...shownKey(row) }
}
