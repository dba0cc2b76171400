import { Type } from '@sinclair/typebox'
import { bodyErrors } from '../../guards/answers.ts'
import { answers, tags } from '../../http/answers.ts'
import { InputInvalid } from '../../http/errors.ts'
import { clientOf, sourceOf, type AnyRequest } from '../../http/request.ts'
import { SessionsFull, TokenRevoked, TokenSuperseded } from '../../sessions/errors.ts'
import { CredentialsInvalid } from '../../sign-in/errors.ts'
import { deliver, type Grant } from '../../sign-in/grant.ts'
import { TokenExpired, TokenInvalid } from '../../tokens/errors.ts'
import { provedAfter } from '../../tokens/levels.ts'
import { TokenMissing } from '../../transport/errors.ts'
import { ownSiteErrors } from '../../transport/schema.ts'
import type { User } from '../../users/entity.ts'
import type { AddRoutes } from '../feature.ts'
import type { Spine } from '../spine.ts'
import { Throttled } from '../throttle/errors.ts'
import type { Limits } from '../throttle/limits.ts'
import { FactorInvalid } from './errors.ts'
import type { FactorCounters } from './events.ts'
import type { Checked, Factors, Method } from './factors.ts'
import type { ShownTicket } from './half-done.ts'
import type { FactorSettings } from './options.ts'
import type { RememberedDevices } from './remembered.ts'

/** What is proved by a body: exactly one of the methods. */
type Verification = Record<string, unknown> & { ticket?: string, remember_device?: boolean }

/** The second half of a sign-in, or of a reauthentication. */
export function verifyFactor (
  spine: Spine, { factors }: FactorSettings, throttle: Limits, { methods, reopen, tickets }: Factors,
  devices: RememberedDevices
): AddRoutes {
  const { events, hooks, sessions, settings, signIn, telemetry, transport, users: { lookUp } } = spine
  const counters = telemetry.counters as FactorCounters

  /** When the routes are added, all methods are there. */
  const schemaOf = () => ({
    operationId: 'verifyFactor',
    summary: 'Complete a login with a second factor and the ticket',
    description: 'Exactly one of ' + methods.map(({ field }) => field).join(', ') + '.',
    tags,
    body: Type.Object({
      ticket: TicketField(settings.transport),
      ...Object.fromEntries(methods.map(({ field, FieldSchema }) => [field, Type.Optional(FieldSchema)])),
      ...factors?.rememberSeconds !== undefined && {
        remember_device: Type.Optional(Type.Boolean({
          description: 'Whether to remember this browser, so that it is not asked for a second factor for a while.',
        })),
      },
    }, { additionalProperties: false }),
    response: answers({ 200: signIn.TokenResponseSchema }, ...bodyErrors, ...ownSiteErrors(settings.transport),
      TokenMissing, TokenInvalid, TokenExpired, TokenRevoked, TokenSuperseded, FactorInvalid,
      ...methods.flatMap(({ Refusals = [] }) => Refusals), SessionsFull, Throttled),
  })

  function methodOf (body: Verification): Method {
    const given = methods.filter(({ field }) => body[field] !== undefined)
    if (given.length === 1) return given[0]!
    throw new InputInvalid(`body must have exactly one of ${methods.map(({ field }) => field).join(', ')}`)
  }

  /** What is proved, counted before it is judged: by the user where it can be guessed, by the network always. */
  async function check (
    request: AnyRequest, { claims, user }: ShownTicket, method: Method, proof: unknown
  ): Promise<Checked> {
    const client = clientOf(request)
    const { isGuessable } = method
    const device = isGuessable ? await throttle.known(request, () => lookUp.stored.byId(user.id)) : undefined
    const attempted = { id: user.id, device, isGuessable }
    try {
      const checked = await throttle.guessFactor(request, attempted, () => method.check(proof, user, claims, request))
      counters.factorsVerified++
      return isGuessable ? checked : { ...checked, spend: reopening(checked, user) }
    } catch (error) {
      if ([FactorInvalid, ...method.Refusals ?? []].some((Refusal) => error instanceof Refusal)) {
        counters.factorsRefused++
        const told = { userId: user.id, client, reason: method.name } as const
        await events.happen({ type: 'factor-failed', ...told })
        await events.happen({ type: 'login-failed', ...told, reason: 'factor' })
      }
      throw error
    }
  }

  /** What cannot be guessed takes back that others were, wrongly. */
  function reopening ({ spend }: Checked, { id }: User): Checked['spend'] {
    return async (tx, note) => {
      await spend(tx, note)
      await reopen(tx, id)
    }
  }

  /** A session begins. */
  async function begin (request: AnyRequest, { claims: ticket, user }: ShownTicket, checked: Checked): Promise<Grant> {
    const { data, claims } = await signIn.givenByHost(user, request)
    const begun = { ...tickets.beginningOf(request, ticket), data, ...provedAfter(ticket.amr, checked.proved) }
    const granted = await signIn.signIn({ id: user.id, epoch: ticket.ver }, begun, (session) =>
      throttle.remember(signIn.grant(session, claims), session),
    async (tx, locked, _, note) => {
      await tickets.spend(tx, locked, ticket)
      await checked.spend(tx, note)
      return locked
    }).catch(orRevoked)
    hooks.onLogin?.(granted.body.user, sourceOf(request))
    await signIn.endReplaced(request, begun.transport)
    return granted
  }

  /** A session goes on. */
  function goOn (request: AnyRequest, { claims: ticket, user }: ShownTicket, checked: Checked): Promise<Grant> {
    return sessions.reauthenticate({ sid: ticket.sid!, gen: ticket.gen! }, async (found) => {
      transport.requireOwnSite(request, found, 'body')
      const custom = await signIn.customClaims(found, request)
      return (session) => signIn.grant(session, custom)
    }, clientOf(request), {
      proved: provedAfter(ticket.amr, checked.proved),
      async spend (tx, note) {
        const locked = await lookUp.locked(tx, user.id)
        if (!locked || locked.disabledAt || locked.epoch !== ticket.ver) throw new TokenRevoked()
        await tickets.spend(tx, locked, ticket)
        await checked.spend(tx, note)
      },
    })
  }

  return (scope, path) => scope.post(`${path}/verify`, { schema: schemaOf() }, async (request, reply) => {
    const body = request.body as Verification
    const method = methodOf(body)
    try {
      const shown = await tickets.take(request, body.ticket, ['login', 'reauthenticate'])
      const checked = await check(request, shown, method, body[method.field])
      const granted = await (shown.claims.use === 'login' ? begin : goOn)(request, shown, checked)
      tickets.forget(request, reply)
      const cookie = body.remember_device && shown.claims.transport !== 'body' && devices.remember(shown.user)
      return deliver(reply, cookie ? { ...granted, cookies: [...granted.cookies, cookie] } : granted)
    } catch (error) {
      // What the body has brought says nothing of the one in the cookie.
      if (body.ticket === undefined) tickets.forget(request, reply, error)
      throw error
    }
  })
}

/** The field of a body that holds a ticket. */
export function TicketField (transport: string) {
  return Type.Optional(Type.String({
    maxLength: 8192,
    description: transport === 'body'
      ? 'From the refusal that required a second factor.'
      : 'From the refusal that required a second factor. Default: the cookie.',
  }))
}

/** Whoever was disabled or signed out everywhere meanwhile has a ticket that is over. */
function orRevoked (error: unknown): never {
  throw error instanceof CredentialsInvalid ? new TokenRevoked() : error
}
