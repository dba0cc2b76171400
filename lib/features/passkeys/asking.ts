import { Type, type Static } from '@sinclair/typebox'
import { accessErrors, bodyErrors, borrowedErrors } from '../../guards/answers.ts'
import { EmailUnverified, TokenStale, TokenWeak } from '../../guards/errors.ts'
import { answers, tags } from '../../http/answers.ts'
import type { AnyReply, AnyRequest } from '../../http/request.ts'
import type { AddRoutes } from '../feature.ts'
import { bindingOf } from './binding.ts'
import { creationOptions, requestOptions } from './ceremonies.ts'
import { PasskeysFull } from './errors.ts'
import type { PasskeyParts } from './parts.ts'
import type { PasskeyRegistration } from './registration.ts'

const reasons = ['login', 'factor', 'reauthenticate', 'registration'] as const

/** What a browser is to ask an authenticator for. Nothing is stored of it. */
export function askForPasskey (parts: PasskeyParts, registration: PasskeyRegistration | undefined): AddRoutes {
  const { spine, settings, factors, rows, challenges, handleOf } = parts
  const { database, guards, settings: { locations } } = spine
  const onReauthentication = guards.ownGuard({ isWayOut: true })
  const passkeysOf = (userId: string) => database.run((em) => rows.ofUser(em, userId))

  const Body = Type.Object({
    for: Type.Unsafe<typeof reasons[number] | 'register'>({
      type: 'string',
      enum: [...reasons, ...registration ? ['register'] : []],
      description: 'login signs in; factor is the second factor, with a ticket; reauthenticate is for who is signed ' +
        'in; registration is a new passkey, of who is signed in or has a ticket for that' +
        (registration ? '; register is an account without a password.' : '.'),
    }),
    ticket: factors.TicketSchema,
    ...registration?.names,
  }, { additionalProperties: false })
  type Given = Static<typeof Body>

  const schema = {
    operationId: 'createPasskeyOptions',
    summary: 'Get options for the passkeys of a browser',
    description: 'For `PublicKeyCredential.parseRequestOptionsFromJSON`, or for registrations ' +
      '`parseCreationOptionsFromJSON`.',
    tags,
    body: Body,
    response: answers({
      200: Type.Object({
        options: Type.Object({}, { additionalProperties: true, description: 'As WebAuthn L3 §5.1.9 has them.' }),
        ...registration && {
          enrolment: Type.Optional(Type.String({ description: 'Of register: goes with the registration.' })),
        },
      }, { description: 'The options' }),
    }, ...accessErrors(locations), ...bodyErrors, ...borrowedErrors(spine.settings), TokenStale, TokenWeak,
    EmailUnverified, PasskeysFull),
  }

  const asked = {
    login: async () => ({ options: requestOptions(settings, challenges.make('login'), 'required') }),

    async factor (request: AnyRequest, _reply: AnyReply, { ticket }: Given) {
      const { claims: { jti }, user } = await factors.tickets.take(request, ticket, ['login', 'reauthenticate'])
      const challenge = challenges.make('factor', jti)
      return { options: requestOptions(settings, challenge, 'preferred', await passkeysOf(user.id)) }
    },

    async reauthenticate (request: AnyRequest, reply: AnyReply) {
      await onReauthentication(request, reply)
      const { sub, sid } = request.auth.claims
      const challenge = challenges.make('reauthenticate', sid)
      return { options: requestOptions(settings, challenge, 'required', await passkeysOf(sub)) }
    },

    async registration (request: AnyRequest, reply: AnyReply, { ticket }: Given) {
      const enroller = await factors.enrolling(request, reply, ticket)
      const { id, username, email } = enroller.user
      const known = await passkeysOf(id)
      if (known.length >= settings.max) throw new PasskeysFull()
      const owner = { handle: handleOf(id), name: username ?? email ?? id }
      return { options: creationOptions(settings, owner, challenges.make('registration', bindingOf(enroller)), known) }
    },

    register: async (_request: AnyRequest, _reply: AnyReply, given: Given) => registration!.begin(given),
  }

  return (scope, path) => scope.post(`${path}/options`, { schema }, async (request, reply) => {
    const body = request.body as Given
    return asked[body.for](request, reply, body)
  })
}
