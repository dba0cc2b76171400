import { Type } from '@sinclair/typebox'
import type { Context } from '../../context.ts'
import { Busy } from './errors.ts'
import { Throttled } from '../throttle/errors.ts'
import { SessionsFull } from '../../sessions/errors.ts'
import { CredentialsInvalid } from '../../sign-in/errors.ts'
import { beginningBy, beginningOf, deliver, endReplaced, welcome } from '../../sign-in/grant.ts'
import { sourceOf } from '../../http/request.ts'
import type { Transport } from '../../transport/options.ts'
import { identifierKey } from '../../users/identifiers.ts'
import { whenGone } from '../../http/signal.ts'
import { answers, bodyErrors, ownSiteErrors, tags, tokenResponseSchema, transportFields } from '../../sign-in/schema.ts'
import type { Scope } from '../../http/scope.ts'

interface Login extends Record<string, unknown> {
  password: string
  transport?: Transport
  remember?: boolean
}

export function login (scope: Scope, context: Context, path: string): void {
  const { credentials, devices, hooks, lookUp, throttle, users, settings: { identifiers, transport } } = context
  const field = identifiers.includes('username') ? 'username' : 'email'
  const what = { username: 'user name', email: 'e-mail address' }

  const schema = {
    operationId: 'login',
    summary: 'Sign in with a password',
    tags,
    body: Type.Object({
      [field]: Type.String({ maxLength: 512, description: `The ${identifiers.map((name) => what[name]).join(' or ')}.` }),
      password: Type.String({ description: 'As it was chosen, to the last space.' }),
      ...transportFields(transport),
      ...transport !== 'body' && { remember: Type.Optional(Type.Boolean({ description: 'Whether cookies outlive the browser window.' })) },
    }, { additionalProperties: false }),
    response: answers({ 200: tokenResponseSchema(context) }, ...bodyErrors, ...ownSiteErrors(transport), CredentialsInvalid, SessionsFull, Throttled, Busy),
  }

  scope.post(path, { schema }, async (request, reply) => {
    const { [field]: identifier, password, ...wish } = request.body as Login & Record<typeof field, string>
    const beginning = beginningOf(context, request, wish)
    try {
      const find = async () => {
        const stored = await lookUp.stored.byIdentifier(identifier)
        return { key: identifierKey(identifier), id: stored?.id, stored, device: await devices.known(request, async () => stored) }
      }
      const user = await throttle.guess(request, find, ({ stored }, isJudged) => credentials.identify(stored, isJudged, password, beginning, whenGone(reply)))
      const { data, claims } = await beginningBy(context, user, request)
      const granted = await users.signIn(user, { ...beginning, data }, (session) => welcome(context, session, claims))
      hooks.tell('onLogin', granted.body.user, sourceOf(request))
      await endReplaced(context, request, beginning.transport)
      return deliver(reply, granted)
    } catch (error) {
      if (error instanceof CredentialsInvalid) hooks.tell('onLoginFailed', identifier, sourceOf(request))
      throw error
    }
  })
}
