import { Type, type Static } from '@sinclair/typebox'
import { answers, NothingSchema, tags } from '../../http/answers.ts'
import { membersOf } from '../../http/error-members.ts'
import { InputInvalid, Unavailable } from '../../http/errors.ts'
import { isOurs } from '../../http/our-error.ts'
import type { AnyReply, AnyRequest } from '../../http/request.ts'
import { acceptForms } from '../../http/scope.ts'
import { deliver } from '../../sign-in/grant.ts'
import { cookiesOfError, setCookies } from '../../transport/keep.ts'
import type { AddRoutes } from '../feature.ts'
import type { Arrive } from './arriving.ts'
import type { Binding } from './binding.ts'
import { FlowInvalid } from './errors.ts'
import { codeSeconds, type Flow, type FlowCode } from './flow.ts'
import type { ProviderPath, ProviderPaths } from './paths.ts'
import type { Redeem } from './redeeming.ts'
import { withQuery } from './return-to.ts'
import { isOver, nowSeconds, type SealedTexts } from './sealed.ts'

/** What a provider sends along. Others of its parameters are let pass, and not looked at. */
const AnswerSchema = Type.Object({
  state: Type.String({ maxLength: 8192 }),
  code: Type.Optional(Type.String({ maxLength: 8192 })),
  iss: Type.Optional(Type.String({ maxLength: 1024 })),
  error: Type.Optional(Type.String({ maxLength: 256 })),
  user: Type.Optional(Type.String({ maxLength: 2048 })),
}, { additionalProperties: true })

type Answer = Static<typeof AnswerSchema>

interface CallbackParts {
  paths: ProviderPaths
  binding: Binding
  codes: SealedTexts<FlowCode>
  redeem: Redeem
  arrive: Arrive
}

/** The way back from a provider. */
export function callback ({ paths, binding, codes, redeem, arrive }: CallbackParts): AddRoutes {
  const params = Type.Object({ id: Type.String({ description: 'The id of a provider.' }) })
  const Sent = { ...NothingSchema, description: 'Sends the browser on', headers: { location: { type: 'string' } } }
  const refusals = [FlowInvalid, InputInvalid, Unavailable, paths.NotFound] as const

  const schema = {
    operationId: 'returnFromProvider',
    summary: 'Where a provider sends the browser back',
    description: 'Sends it on to `return_to`: signed in by cookies; with `code`, for exchangeProviderCode, where ' +
      'tokens travel in bodies; or with `error`, a code of ours in lower case and without its first word.',
    tags,
    params,
    querystring: AnswerSchema,
    response: answers({ 303: Sent }, ...refusals),
  }

  const formSchema = {
    operationId: 'returnFromProviderByForm',
    summary: 'Where a provider sends the browser back that answers by a form',
    tags,
    params,
    body: AnswerSchema,
    response: answers({ 303: Sent }, ...refusals),
  }

  /** The state opens, for this provider, or the browser stays here: nobody has said yet where it may go. */
  function open ({ flows }: ProviderPath, { state }: Answer): Flow {
    const flow = flows.open(state)
    if (!flow) throw new FlowInvalid()
    return flow
  }

  /** Where the browser goes. */
  async function goOn (request: AnyRequest, reply: AnyReply, path: ProviderPath, flow: Flow, answer: Answer) {
    if (isOver(flow)) throw new FlowInvalid()
    const isBrowser = flow.transport === 'cookie'
    if (isBrowser) binding.requireBrowser(request, flow)
    const code = await path.client.codeIn(answer as Record<string, string>)
    if (!isBrowser) {
      const sealed = codes.seal({
        jti: flow.jti,
        exp: nowSeconds() + codeSeconds,
        provider: path.client.provider.id,
        flow,
        code,
        user: answer.user,
      })
      return withQuery(flow.returnTo, { code: sealed })
    }
    const person = await redeem(path, flow, { code, user: answer.user })
    const granted = await arrive({ request, flow, provider: path.client.provider, person })
    if (granted) deliver(reply, granted)
    return flow.returnTo
  }

  function send (reply: AnyReply, location: string) {
    // What comes along in the query is for that page alone.
    return reply.code(303).headers({ location, 'referrer-policy': 'no-referrer' }).send()
  }

  return (scope, path) => {
    const options = { schema, exposeHeadRoute: false, logSerializers: { req: withoutQuery } }
    scope.get(`${path}/:id/callback`, options, async (request, reply) => {
      const answer = request.query as Answer
      const found = paths.of((request.params as { id: string }).id)
      const flow = open(found, answer)
      try {
        const location = await goOn(request, reply, found, flow, answer)
        if (flow.transport === 'cookie') setCookies(reply, [binding.dropped(flow)])
        return send(reply, location)
      } catch (error) {
        if (!isOurs(error)) throw error
        setCookies(reply, (error as { [cookiesOfError]?: string[] })[cookiesOfError] ?? [])
        return send(reply, withQuery(flow.returnTo, { error: wordOf(error.code), ...textsOf(membersOf(error)) }))
      }
    })

    // The cookies of a browser do not come along with a form of another site, but with what it is sent on to.
    acceptForms(scope, (child) => child.post(`${path}/:id/callback`, {
      schema: formSchema, logSerializers: { req: withoutQuery },
    }, async (request, reply) => {
      const { callback: url } = paths.of((request.params as { id: string }).id)
      const given = Object.entries(request.body as Answer).filter(([name]) => name in AnswerSchema.properties)
      return send(reply, withQuery(url, Object.fromEntries(given)))
    }))
  }
}

/** `ACCOUNTS_FACTOR_REQUIRED` is `factor_required`. */
function wordOf (code: string): string {
  return code.replace('ACCOUNTS_', '').toLowerCase()
}

/** Lists have spaces between their words. */
function textsOf (members: object): Record<string, string> {
  return Object.fromEntries(Object.entries(members).map(([name, value]) =>
    [name, Array.isArray(value) ? value.join(' ') : String(value)]))
}

/** A request as logs have it, as Fastify writes it, without what a provider sends along. */
function withoutQuery ({ method, url, host, ip, socket }: AnyRequest) {
  return { method, url: url.split('?')[0], host, remoteAddress: ip, remotePort: socket?.remotePort }
}
