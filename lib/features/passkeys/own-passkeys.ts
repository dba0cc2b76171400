import { Type } from '@sinclair/typebox'
import { accessErrors, bodyErrors } from '../../guards/answers.ts'
import { TokenStale, TokenWeak } from '../../guards/errors.ts'
import { answers, tags } from '../../http/answers.ts'
import { component } from '../../http/component.ts'
import { NotFound } from '../../users/errors.ts'
import { LastCredential } from '../factors/errors.ts'
import type { AddRoutes } from '../feature.ts'
import type { PasskeyParts } from './parts.ts'
import type { RemovePasskey } from './removing.ts'
import { NameSchema, PasskeySchema, shownPasskey } from './schema.ts'

/** The passkeys of who is signed in. */
export function ownPasskeys (
  { spine, settings: { rpId }, factors, rows, handleOf }: PasskeyParts, remove: RemovePasskey
): AddRoutes {
  const { database, guards, settings: { locations }, signIn } = spine
  const params = Type.Object({ id: Type.String({ description: 'The id of a passkey.' }) })
  const onRequest = guards.ownAuthenticate
  const onRemoval = guards.ownGuard({ strong: 'always', consistency: 'strict' })

  const list = {
    operationId: 'listPasskeys',
    summary: 'List the passkeys of the signed-in user',
    tags,
    response: answers({
      200: Type.Object({ passkeys: Type.Array(PasskeySchema) }, { description: 'The oldest first' }),
    }, ...accessErrors()),
  }

  const rename = {
    operationId: 'renamePasskey',
    summary: 'Rename a passkey',
    description: 'What belongs to another user is not found either.',
    tags,
    params,
    body: Type.Object({ name: NameSchema }, { additionalProperties: false }),
    response: answers({ 200: PasskeySchema }, ...accessErrors(locations), ...bodyErrors, NotFound),
  }

  const removal = {
    operationId: 'removePasskey',
    summary: 'Remove a passkey',
    description: 'Requires all factors, proved within 10 minutes. Every other session ends. The response contains ' +
      'the arguments of `PublicKeyCredential.signalAllAcceptedCredentials`. Removing the last factor removes the ' +
      'recovery codes too.',
    tags,
    params,
    response: answers({
      200: component('RemovedPasskey', Type.Object({
        rp_id: Type.String({ examples: ['example.com'] }),
        user_handle: Type.String({ description: 'What authenticators know the user by.' }),
        accepted_credential_ids: Type.Array(Type.String(), { description: 'Of the passkeys that are left.' }),
        ...signIn.TokenResponseSchema.properties,
      }, { description: 'What is left, and tokens' })),
    }, ...accessErrors(locations), ...bodyErrors, TokenStale, TokenWeak, NotFound, LastCredential),
  }

  return (scope, path) => {
    scope.get(path, { schema: list, onRequest }, async ({ auth: { claims: { sub } } }) => {
      const found = await database.run((em) => rows.ofUser(em, sub))
      return { passkeys: found.map(shownPasskey) }
    })

    scope.patch(`${path}/:id`, { schema: rename, onRequest }, async (request) => {
      const { params: { id }, body: { name }, auth: { claims: { sub } } } = request
      const isRenamed = await database.run((em) => rows.rename(em, sub, id, name.trim()))
      const found = isRenamed && (await database.run((em) => rows.ofUser(em, sub))).find((row) => row.id === id)
      if (!found) throw new NotFound()
      return shownPasskey(found)
    })

    scope.delete(`${path}/:id`, { schema: removal, onRequest: onRemoval }, async (request, reply) => {
      const { params: { id } } = request
      const enroller = await factors.signedIn(request)
      return factors.change(request, reply, enroller, {
        type: 'factor-removed',
        reason: 'passkey',
        endsOthers: true,
        async act (tx, user) {
          const left = await remove(tx, user, id)
          return {
            rp_id: rpId,
            user_handle: handleOf(user.id),
            accepted_credential_ids: left.map(({ credentialId }) => credentialId),
          }
        },
      })
    })
  }
}
