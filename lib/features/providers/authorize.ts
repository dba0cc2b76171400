import { randomBytes } from 'node:crypto'
import { Type, type Static } from '@sinclair/typebox'
import { accessErrors, bodyErrors, borrowedErrors } from '../../guards/answers.ts'
import { TokenStale, TokenWeak } from '../../guards/errors.ts'
import { answers, tags } from '../../http/answers.ts'
import { InputInvalid } from '../../http/errors.ts'
import type { AnyReply, AnyRequest } from '../../http/request.ts'
import { setCookies } from '../../transport/keep.ts'
import type { Transport } from '../../transport/options.ts'
import { wishFields } from '../../transport/schema.ts'
import type { AccessClaims } from '../../tokens/claims.ts'
import type { AddRoutes } from '../feature.ts'
import type { Binding } from './binding.ts'
import { unguessable } from './client.ts'
import { ProviderFailed } from './errors.ts'
import { flowSeconds, flowUses, type Flow, type FlowUse } from './flow.ts'
import type { ProviderPaths } from './paths.ts'
import type { ProviderParts } from './parts.ts'
import type { ReadReturnTo } from './return-to.ts'
import { nowSeconds } from './sealed.ts'

/** Who asks, and how they want their answer. */
type Asker = Pick<Flow, 'transport' | 'remember' | 'session'>

/** The way to a provider. Nothing is stored of it. */
export function authorize (
  { spine }: Pick<ProviderParts, 'spine'>, paths: ProviderPaths, binding: Binding, readReturnTo: ReadReturnTo
): AddRoutes {
  const { guards, settings: { locations, transport: usual }, signIn } = spine
  const onLink = guards.ownGuard({ strong: 'always', consistency: 'strict' })
  const onReauthentication = guards.ownGuard({ isWayOut: true })

  const Body = Type.Object({
    return_to: Type.Optional(Type.String({
      maxLength: 512,
      description: 'Where the browser goes at the end: a path, or a URL of `providerFlow.returnTo`. Default `/`.',
      examples: ['/welcome'],
    })),
    for: Type.Optional(Type.Unsafe<FlowUse>({
      type: 'string',
      enum: [...flowUses],
      description: 'login signs in, or opens an account; link gives who is signed in another way to sign in; ' +
        'reauthenticate is for who is signed in. Default login.',
    })),
    code_challenge: Type.Optional(Type.String({
      pattern: '^[\\w-]{43}$',
      description: 'With tokens in bodies: of a verifier that goes with the exchange (RFC 7636, S256).',
    })),
    ...wishFields(usual),
  }, { additionalProperties: false })
  type Given = Static<typeof Body> & { transport?: Transport, remember?: boolean }

  const schema = {
    operationId: 'authorizeByProvider',
    summary: 'Begin to sign in by another provider',
    description: 'The browser goes to the URL. To link asks for all factors, proved within 10 minutes.',
    tags,
    params: Type.Object({ id: Type.String({ description: 'The id of a provider.' }) }),
    body: Body,
    response: answers({
      200: Type.Object({
        authorization_url: Type.String({
          description: 'Where the browser goes.',
          examples: ['https://accounts.google.com/o/oauth2/v2/auth?client_id=…&state=s1.…'],
        }),
        expires_in: Type.Integer({ description: 'Seconds until the browser has to be back.', examples: [flowSeconds] }),
      }, { description: 'The way there' }),
    }, ...accessErrors(locations), ...bodyErrors, ...borrowedErrors(spine.settings), TokenStale, TokenWeak,
    ProviderFailed, paths.NotFound),
  }

  /** Who is signed in is answered as their session is. */
  async function askerOf (request: AnyRequest, reply: AnyReply, { for: use = 'login', transport, remember }: Given) {
    if (use === 'login') {
      const wish = { ...transport && { transport }, ...remember !== undefined && { remember } }
      const begun = signIn.beginningOf(request, wish)
      const asker: Asker = begun.transport === 'body'
        ? { transport: 'body' }
        : { transport: 'cookie', remember: begun.transport === 'cookie' }
      return asker
    }
    if (transport !== undefined || remember !== undefined) {
      throw new InputInvalid('body must not say how tokens travel, of who is signed in')
    }
    await (use === 'link' ? onLink : onReauthentication)(request, reply)
    const { claims, location } = request.auth
    const { sub, sid, gen, ver } = claims as AccessClaims
    const asker: Asker = { transport: location === 'cookie' ? 'cookie' : 'body', session: { sub, sid, gen, ver } }
    return asker
  }

  function requireBinding ({ transport }: Asker, challenge: string | undefined): void {
    if ((transport === 'body') === (challenge !== undefined)) return
    throw new InputInvalid(transport === 'body'
      ? 'body must have code_challenge, where tokens travel in bodies'
      : 'body must not have code_challenge, where tokens travel in cookies')
  }

  return (scope, path) => scope.post(`${path}/:id/authorize`, { schema }, async (request, reply) => {
    const { client, flows, callback } = paths.of((request.params as { id: string }).id)
    const body = request.body as Given
    const { for: use = 'login', code_challenge: challenge } = body
    const returnTo = readReturnTo(body.return_to)
    const asker = await askerOf(request, reply, body)
    requireBinding(asker, challenge)
    const flow: Flow = {
      jti: randomBytes(16).toString('base64url'),
      exp: nowSeconds() + flowSeconds,
      use,
      verifier: unguessable(),
      nonce: unguessable(),
      returnTo,
      challenge,
      ...asker,
    }
    const url = await client.authorizationUrl({
      ...flow, state: flows.seal(flow), redirectUri: callback, isStepUp: use === 'reauthenticate',
    })
    if (asker.transport === 'cookie') setCookies(reply, [binding.cookieOf(flow)])
    return { authorization_url: url.href, expires_in: flowSeconds }
  })
}
