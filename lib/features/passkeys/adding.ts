import { Type, type Static } from '@sinclair/typebox'
import type { EntityManager } from '@mikro-orm/core'
import { v7 as uuid } from 'uuid'
import { accessErrors, bodyErrors, borrowedErrors } from '../../guards/answers.ts'
import { EmailUnverified, TokenStale, TokenWeak } from '../../guards/errors.ts'
import { answers, tags } from '../../http/answers.ts'
import { component } from '../../http/component.ts'
import { SessionsFull } from '../../sessions/errors.ts'
import { FactorExists } from '../factors/errors.ts'
import type { AddRoutes } from '../feature.ts'
import { bindingOf } from './binding.ts'
import { defaultName } from './default-name.ts'
import { PasskeyInvalid, PasskeysFull } from './errors.ts'
import type { PasskeyParts } from './parts.ts'
import { methodsOf } from './proving.ts'
import type { PasskeyRow } from './rows.ts'
import { AttestationSchema, NameSchema, PasskeySchema, shownPasskey } from './schema.ts'
import type { Registered } from './verifier.ts'

/** What a user chooses of a new passkey. */
interface Choice {
  /** Whether the password alone opens nothing from then on. */
  secondFactor: boolean
  name?: string | undefined
}

/**
 * Stores a new passkey of a user, in the transaction that has locked or made them, and uses its challenge up.
 * @throws {PasskeyInvalid | PasskeysFull | FactorExists}
 */
export type StorePasskey = (
  tx: EntityManager, userId: string, registered: Registered, choice: Choice
) => Promise<PasskeyRow>

export function createStorePasskey (
  { settings: { max, rpId }, rows, proving }: Pick<PasskeyParts, 'settings' | 'rows' | 'proving'>
): StorePasskey {
  return async (tx, userId, { challenge, expiresAt, ...said }, { secondFactor, name = defaultName(said.aaguid) }) => {
    await proving.spendChallenge(tx, { challenge, expiresAt })
    if ((await rows.ofUser(tx, userId)).length >= max) throw new PasskeysFull()
    const row = { ...said, id: uuid(), userId, rpId, name, secondFactor, createdAt: new Date(), lastUsedAt: null }
    if (!await rows.insert(tx, row)) throw new FactorExists()
    return { ...row, credentialKey: '' }
  }
}

/** What a new passkey has proved, whose user is always verified. */
export const provedByNew = { acr: 'phr' as const, amr: methodsOf({ isUserVerified: true }) }

/** A new passkey, of who is signed in or has to set a second factor up. */
export function addPasskey (parts: PasskeyParts, store: StorePasskey): AddRoutes {
  const { spine, settings, factors, recoveryCodes, verifier } = parts
  const { settings: { locations }, signIn, users: { needsOf } } = spine

  const Body = Type.Object({
    credential: AttestationSchema,
    name: Type.Optional(NameSchema),
    second_factor: Type.Optional(Type.Boolean({
      description: 'Whether the passkey is a second factor, so that the password alone no longer signs in. Default ' +
        '`passkeys.secondFactor`.',
    })),
    ticket: factors.TicketSchema,
  }, { additionalProperties: false })

  const schemaOf = () => ({
    operationId: 'addPasskey',
    summary: 'Add a passkey',
    description: 'Needs the options of createPasskeyOptions for registration. Requires all factors, proved within ' +
      '10 minutes, or the ticket of a refusal that required an enrolment. The first second factor ends every other ' +
      'session.',
    tags,
    body: Body,
    response: answers({
      201: component('AddedPasskey', Type.Object({
        passkey: PasskeySchema,
        recovery_codes: Type.Optional(recoveryCodes.Schema),
        ...signIn.TokenResponseSchema.properties,
      }, { description: 'The passkey, and tokens' })),
    }, ...accessErrors(locations), ...bodyErrors, ...borrowedErrors(spine.settings), TokenStale, TokenWeak,
    EmailUnverified, PasskeyInvalid, FactorExists,
    PasskeysFull, SessionsFull),
  })

  return (scope, path) => scope.post(path, { schema: schemaOf() }, async (request, reply) => {
    const { credential, name, second_factor: wanted = settings.secondFactor, ticket } =
      request.body as Static<typeof Body>
    const enroller = await factors.enrolling(request, reply, ticket)
    const registered = await verifier.register(credential, bindingOf(enroller))
    const { needsFactor, hasFactor } = needsOf(enroller.user)
    const secondFactor = wanted || needsFactor
    const isFirst = secondFactor && !hasFactor
    reply.code(201)
    return factors.change(request, reply, enroller, {
      type: 'factor-added',
      reason: 'passkey',
      ...isFirst && { secondFactor: 'on' },
      ...(isFirst || 'ticket' in enroller) && { proved: provedByNew },
      endsOthers: isFirst,
      async act (tx, { id: userId }) {
        const passkey = shownPasskey(await store(tx, userId, registered, { secondFactor, name: name?.trim() }))
        const codes = isFirst ? await recoveryCodes.giveFirst(tx, userId) : undefined
        return { passkey, ...codes && { recovery_codes: codes } }
      },
    })
  })
}
