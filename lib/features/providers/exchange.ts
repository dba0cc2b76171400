import { Type } from '@sinclair/typebox'
import { bodyErrors } from '../../guards/answers.ts'
import { answers, NothingSchema, tags } from '../../http/answers.ts'
import { SessionsFull, TokenRevoked, TokenSuperseded } from '../../sessions/errors.ts'
import { CredentialsInvalid } from '../../sign-in/errors.ts'
import { deliver } from '../../sign-in/grant.ts'
import type { AddRoutes } from '../feature.ts'
import type { Arrive } from './arriving.ts'
import type { Binding } from './binding.ts'
import {
  FlowInvalid, IdentityTaken, IdentityUnlinked, ProviderFailed, RegistrationClosed, RegistrationIncomplete,
} from './errors.ts'
import type { FlowCode } from './flow.ts'
import type { ProviderParts } from './parts.ts'
import type { ProviderPaths } from './paths.ts'
import type { Redeem } from './redeeming.ts'
import { isOver, type SealedTexts } from './sealed.ts'

interface ExchangeParts {
  paths: ProviderPaths
  binding: Binding
  codes: SealedTexts<FlowCode>
  redeem: Redeem
  arrive: Arrive
}

/** The end of a sign-in by a provider, for clients with tokens in bodies. */
export function exchange (
  { spine }: Pick<ProviderParts, 'spine'>, { paths, binding, codes, redeem, arrive }: ExchangeParts
): AddRoutes {
  const { signIn } = spine

  const schemaOf = () => ({
    operationId: 'exchangeProviderCode',
    summary: 'Sign in by the code with which a browser has come back',
    description: 'Within a minute, and by the client that has begun it: it has the verifier. Nothing is answered ' +
      'where somebody has linked an identity.',
    tags,
    body: Type.Object({
      code: Type.String({ maxLength: 32768, description: 'Of the query that the browser has come back with.' }),
      code_verifier: Type.String({
        pattern: '^[\\w.~-]{43,128}$', description: 'What the `code_challenge` was made of (RFC 7636).',
      }),
    }, { additionalProperties: false }),
    response: answers({ 200: signIn.TokenResponseSchema, 204: NothingSchema }, ...bodyErrors, FlowInvalid,
      ProviderFailed, IdentityTaken, IdentityUnlinked, RegistrationClosed, RegistrationIncomplete, CredentialsInvalid,
      TokenRevoked, TokenSuperseded, SessionsFull, ...signIn.refusals()),
  })

  return (scope, path) => scope.post(`${path}/exchange`, { schema: schemaOf() }, async (request, reply) => {
    const { code, code_verifier: verifier } = request.body as { code: string, code_verifier: string }
    const found = codes.open(code)
    const way = found && paths.all.find(({ client }) => client.provider.id === found.provider)
    if (!found || !way || isOver(found) || isOver(found.flow)) throw new FlowInvalid()
    binding.requireVerifier(verifier, found.flow)
    const person = await redeem(way, found.flow, found)
    const granted = await arrive({ request, flow: found.flow, provider: way.client.provider, person })
    if (granted) return deliver(reply, granted)
    return reply.code(204).send()
  })
}
