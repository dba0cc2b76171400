import type { EntityManager } from '@mikro-orm/core'
import { clientOf, sourceOf, type AnyReply, type AnyRequest } from '../../http/request.ts'
import type { Session } from '../../sessions/entity.ts'
import { TokenRevoked } from '../../sessions/errors.ts'
import type { Note, Write } from '../../sessions/revocation-log.ts'
import { deliver, type CookieResponse, type TokenResponse } from '../../sign-in/grant.ts'
import { provedBy } from '../../tokens/claims.ts'
import { provedAfter, raisedBy, type Proved } from '../../tokens/levels.ts'
import type { User } from '../../users/entity.ts'
import type { Spine } from '../spine.ts'
import type { Enroller, HalfSignedIn, SignedIn } from './enrolling.ts'
import type { HalfDoneTickets } from './half-done.ts'
import type { StoreChange, StoredChange, TellOfFactors } from './storing.ts'

/** What changes of the factors of whoever asks for it. */
export interface FactorChange<Extra> extends StoredChange<Extra> {
  /** What is proved by it. Undefined for nothing: then the session is no fresher than before. */
  proved?: Proved
  /** Whether it ends all other sessions. */
  endsOthers: boolean
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
  { hooks, sessions, signIn, transport, users: { lookUp } }: Spine,
  { tickets, telling, store }: { tickets: HalfDoneTickets, telling: TellOfFactors, store: StoreChange }
): ChangeFactors {
  /** The session goes on, by a new generation: with the other sessions over, at another epoch. */
  async function inSession<Extra extends object> (
    request: AnyRequest, { user, claims, location }: SignedIn, change: FactorChange<Extra>
  ) {
    const { sid: sessionId, gen } = claims
    const client = clientOf(request)
    const custom = await signIn.customClaims({ user, data: await sessions.dataOf(sessionId) }, request)
    return sessions.revocationLog.record(async (tx, write, note) => {
      const locked = await lookUp.locked(tx, user.id)
      if (!locked || locked.disabledAt) throw new TokenRevoked()
      const extra = await store(tx, locked, note, change, { sessionId, client })
      if (locked.epoch > claims.ver) throw new TokenRevoked()
      const before = provedBy(claims)
      const proved = change.proved ? raisedBy(before, provedAfter(before.amr, change.proved)) : null
      const proof = { sessionId, gen, at: new Date(), client, proved }
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
    const begun = { ...tickets.beginningOf(request, ticket), data, ...provedAfter(ticket.amr, change.proved!) }
    let extra!: Extra
    const spend = async (tx: EntityManager, locked: User, write: Write, note: Note) => {
      await tickets.spend(tx, locked, ticket)
      extra = await store(tx, locked, note, change, { client })
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
    telling.tell(enroller.user, change, request)
    return { ...deliver(reply, granted), ...extra }
  }
}
