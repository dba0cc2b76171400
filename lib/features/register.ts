import { Type } from '@sinclair/typebox'
import { askForLeave } from '../host/ask.ts'
import type { Context } from '../context.ts'
import { Busy, PasswordRejected } from './passwords/errors.ts'
import { Throttled } from './throttle/errors.ts'
import { UserExists } from '../users/errors.ts'
import { beginningBy, beginningOf, deliver, endReplaced, welcome } from '../sign-in/grant.ts'
import { sourceOf } from '../http/request.ts'
import type { Transport } from '../transport/options.ts'
import type { Join, Registration } from './users/users.ts'
import { whenGone } from '../http/signal.ts'
import { answers, bodyErrors, EmailSchema, ownSiteErrors, PasswordSchema, tags, tokenResponseSchema, transportFields, UsernameSchema } from '../sign-in/schema.ts'
import type { Scope } from '../http/scope.ts'

export function register (scope: Scope, context: Context, path: string): void {
  const { fields: { registration, given }, publicUsers, throttle, users, hooks, settings: { identifiers, transport, hooks: { onRegister } } } = context
  const hasName = identifiers.includes('username')
  const hasEmail = identifiers.includes('email')

  const schema = {
    operationId: 'register',
    summary: 'Open an account and sign in',
    tags,
    body: Type.Object({
      ...hasName && { username: UsernameSchema },
      ...hasEmail && { email: hasName ? Type.Optional(EmailSchema) : EmailSchema },
      password: PasswordSchema(context.settings),
      ...registration,
      ...transportFields(transport),
    }, { additionalProperties: false }),
    response: answers({ 201: tokenResponseSchema(context) }, ...bodyErrors, ...ownSiteErrors(transport), PasswordRejected, UserExists, Throttled, Busy),
  }

  scope.post(path, { schema }, async (request, reply) => {
    const { transport: wanted, username, email, password, ...profile } = request.body as Registration & { transport?: Transport }
    const beginning = beginningOf(context, request, wanted ? { transport: wanted } : {})
    const prepare = async () => {
      const draft = await users.draft({ username, email, password }, { ...given, ...profile }, whenGone(reply))
      return { draft, ...await beginningBy(context, draft, request) }
    }
    const granted = await throttle.register(request, prepare, async ({ draft, data, claims }) => {
      const join: Join = (em) => askForLeave(async () => {
        await onRegister?.(em, ...structuredClone([publicUsers.of(draft), { username, email, ...profile }] as const))
        await em.flush()
      })
      return users.register(draft, { ...beginning, data }, (session) => welcome(context, session, claims), join)
    })
    hooks.tell('onRegistered', granted.body.user, sourceOf(request))
    await endReplaced(context, request, beginning.transport)
    reply.code(201)
    return deliver(reply, granted)
  })
}
