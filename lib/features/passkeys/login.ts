import { Type } from '@sinclair/typebox'
import { bodyErrors } from '../../guards/answers.ts'
import { answers, tags } from '../../http/answers.ts'
import { sourceOf } from '../../http/request.ts'
import { SessionsFull } from '../../sessions/errors.ts'
import { CredentialsInvalid } from '../../sign-in/errors.ts'
import { deliver } from '../../sign-in/grant.ts'
import type { Wish } from '../../sign-in/sign-in.ts'
import { ownSiteErrors, wishFields } from '../../transport/schema.ts'
import type { AddRoutes } from '../feature.ts'
import { Throttled } from '../throttle/errors.ts'
import type { Counting } from './counting.ts'
import { PasskeyInvalid, PasskeyUnknown } from './errors.ts'
import type { PasskeyParts } from './parts.ts'
import { AssertionSchema, type Assertion } from './schema.ts'

/** Signing in by a passkey alone, which is two factors: it verifies its user. */
export function login ({ spine, throttle, proving, factors }: PasskeyParts, counting: Counting): AddRoutes {
  const { hooks, settings: { transport }, signIn, users: { lookUp } } = spine

  /** When the routes are added, all features have said what they refuse. */
  const schemaOf = () => ({
    operationId: 'loginByPasskey',
    summary: 'Sign in with a passkey',
    description: 'Needs the options of createPasskeyOptions for login.',
    tags,
    body: Type.Object({
      credential: AssertionSchema,
      ...wishFields(transport),
    }, { additionalProperties: false }),
    response: answers({ 200: signIn.TokenResponseSchema }, ...bodyErrors, ...ownSiteErrors(transport),
      PasskeyInvalid, PasskeyUnknown, SessionsFull, Throttled, ...signIn.refusals()),
  })

  return (scope, path) => scope.post(`${path}/login`, { schema: schemaOf() }, async (request, reply) => {
    const { credential, ...wish } = request.body as Wish & { credential: Assertion }
    const beginning = signIn.beginningOf(request, wish)
    const granted = await counting(request, async () => {
      const { passkey, proved, spend } = await proving.prove(request, credential, {
        purpose: 'login', verifiesUser: true, namesUser: true,
      })
      const user = await lookUp.byId(passkey.userId)
      if (!user || user.disabledAt) throw new PasskeyInvalid()
      const { data, claims } = await signIn.givenByHost(user, request)
      return signIn.signIn(user, { ...beginning, data, ...proved },
        (session) => throttle.remember(signIn.grant(session, claims), session),
        async (tx, locked) => {
          await spend(tx)
          await factors.reopen(tx, locked.id)
          return locked
        }).catch(orInvalid)
    })
    hooks.onLogin?.(granted.body.user, sourceOf(request))
    await signIn.endReplaced(request, beginning.transport)
    return deliver(reply, granted)
  })
}

/** Whoever was disabled or signed out everywhere meanwhile has proved nothing. */
function orInvalid (error: unknown): never {
  throw error instanceof CredentialsInvalid ? new PasskeyInvalid() : error
}
