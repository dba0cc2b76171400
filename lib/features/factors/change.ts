import type { EntityManager } from '@mikro-orm/core'
import type { Telling } from '../../host/hooks.ts'
import { clientOf, sourceOf, type AnyReply, type AnyRequest } from '../../http/request.ts'
import type { Session } from '../../sessions/entity.ts'
import { TokenRevoked } from '../../sessions/errors.ts'
import type { Hooks } from '../../sessions/options.ts'
import type { Note, Write } from '../../sessions/revocation-log.ts'
import { deliver, type CookieResponse, type TokenResponse } from '../../sign-in/grant.ts'
import type { Proved } from '../../tokens/levels.ts'
import { User } from '../../users/entity.ts'
import type { Spine } from '../spine.ts'
import type { Enroller, HalfSignedIn, SignedIn } from './enrolling.ts'
import type { FactorReason } from './events.ts'
import type { HalfDoneTickets } from './half-done.ts'
import type { FactorsChanged, OnFactorsChanged } from './options.ts'

/** What changes of a user's factors. */
export interface FactorChange<Extra> {
  /** What is told of it. */
  type: 'factor-added' | 'factor-removed'
  reason: FactorReason
  /** Whether a first factor alone signs in from then on: `on` no, `off` yes, or as before. */
  secondFactor?: 'on' | 'off'
  /** What is proved by it. Undefined for nothing: then the session is no fresher than before. */
  proved?: Proved
  /** Whether it ends all other sessions. */
  endsOthers: boolean
  /**
   * Stores it, in the transaction that has locked the user, and gives what the answer holds beside the tokens.
   * @throws what is to be the answer: then nothing has changed
   */
  act: (tx: EntityManager, user: User, note: Note) => Promise<Extra>
}

/**
 * Changes factors of whoever asks for it, in one transaction, and gives new tokens: of the session that asked, which
 * goes on with all its earlier ones void, or of a new one where a ticket has asked.
 * @throws {TokenRevoked | TokenSuperseded} where the session or the ticket is over, or its token void
 */
export type ChangeFactors = <Extra extends object>(
  request: AnyRequest, reply: AnyReply, enroller: Enroller, change: FactorChange<Extra>
) => Promise<(TokenResponse | CookieResponse) & Extra>

export function createChangeFactors (
  spine: Spine, tickets: HalfDoneTickets
): ChangeFactors {
  const { mail, sessions, signIn, transport, users: { lookUp, publicUsers } } = spine
  const hooks: Hooks & Telling<{ onFactorsChanged: OnFactorsChanged }> = spine.hooks

  /** What is stored of every change, of a user who is locked. */
  async function apply<Extra> (
    tx: EntityManager, user: User, note: Note, { type, reason, secondFactor, act }: FactorChange<Extra>,
    { sessionId, client }: { sessionId?: string, client: ReturnType<typeof clientOf> }
  ): Promise<Extra> {
    const now = new Date()
    const mfaAt = { on: user.mfaAt ?? now, off: null }
    const change = { factorsChangedAt: now, updatedAt: now, ...secondFactor && { mfaAt: mfaAt[secondFactor] } }
    await tx.nativeUpdate(User, { id: user.id }, change)
    const extra = await act(tx, user, note)
    await note({ type, reason, userId: user.id, sessionId, client })
    await mail?.notify(tx, 'factorsChanged', user, { client, data: { change: type, factor: reason } })
    return extra
  }

  /** The session goes on, by a new generation: with the other sessions over, at another epoch. */
  async function inSession<Extra extends object> (
    request: AnyRequest, { user, claims, location }: SignedIn, change: FactorChange<Extra>
  ) {
    const { sid: sessionId, gen } = claims
    const client = clientOf(request)
    const custom = await signIn.customClaims({ user, data: await sessions.dataOf(sessionId) }, request)
    return sessions.revocationLog.record(async (tx, write, note) => {
      const locked = await lookUp.locked(tx, user.id)
      if (!locked || locked.disabledAt || locked.epoch > claims.ver) throw new TokenRevoked()
      const extra = await apply(tx, locked, note, change, { sessionId, client })
      const proof = { sessionId, gen, at: new Date(), client, proved: change.proved ?? null }
      if (change.endsOthers) await sessions.endings.endOthers(tx, write, user.id, 'factors', proof)
      else await sessions.goOn(tx, write, proof)
      const session = (await sessions.find(tx, sessionId))!
      transport.requireOwnSite(request, session, location)
      return { granted: signIn.grant(session, custom), extra }
    })
  }

  /** A session begins that has proved both factors. */
  async function withTicket<Extra extends object> (
    request: AnyRequest, { user, ticket }: HalfSignedIn, change: FactorChange<Extra>
  ) {
    const { data, claims } = await signIn.givenByHost(user, request)
    const client = clientOf(request)
    const { acr, amr } = change.proved!
    const begun = { ...tickets.beginningOf(request, ticket), data, acr, amr: [...new Set([...ticket.amr, ...amr])] }
    let extra!: Extra
    const spend = async (tx: EntityManager, locked: User, write: Write, note: Note) => {
      await tickets.spend(tx, locked, ticket)
      extra = await apply(tx, locked, note, change, { client })
      await sessions.endings.endOthers(tx, write, user.id, 'factors')
      return (await lookUp.byId(user.id, tx))!
    }
    const granted = await signIn.signIn({ id: user.id, epoch: ticket.ver }, begun, (session: Session) =>
      signIn.grant(session, claims), spend)
    hooks.onLogin?.(granted.body.user, sourceOf(request))
    await signIn.endReplaced(request, begun.transport)
    return { granted, extra }
  }

  return async (request, reply, enroller, change) => {
    const { granted, extra } = await ('ticket' in enroller
      ? withTicket(request, enroller, change)
      : inSession(request, enroller, change))
    tickets.forget(request, reply)
    const changed: FactorsChanged = { what: change.reason, change: change.type }
    hooks.onFactorsChanged?.(publicUsers.of(enroller.user), changed, sourceOf(request))
    return { ...deliver(reply, granted), ...extra }
  }
}
