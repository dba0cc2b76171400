import type { EntityManager } from '@mikro-orm/core'
import type { Telling } from '../../host/hooks.ts'
import { clientOf, sourceOf, type AnyReply, type AnyRequest } from '../../http/request.ts'
import type { Session } from '../../sessions/entity.ts'
import { TokenRevoked } from '../../sessions/errors.ts'
import type { Hooks } from '../../sessions/options.ts'
import type { Note, Write } from '../../sessions/revocation-log.ts'
import { deliver, type CookieResponse, type TokenResponse } from '../../sign-in/grant.ts'
import type { AccessClaims } from '../../tokens/claims.ts'
import { raisedBy, type Proved } from '../../tokens/levels.ts'
import { User } from '../../users/entity.ts'
import type { Spine } from '../spine.ts'
import type { Enroller, HalfSignedIn, SignedIn } from './enrolling.ts'
import type { FactorReason } from './events.ts'
import { LastCredential } from './errors.ts'
import type { HalfDoneTickets } from './half-done.ts'
import type { FactorsChanged, OnFactorsChanged } from './options.ts'

/** What changes of a user's factors. */
export interface FactorChange<Extra> {
  /** What is told of it. */
  type: FactorsChanged['change']
  reason: FactorReason
  /**
   * Whether a first factor alone signs in from then on: `on` no, `off` yes, or as before. Once the last factor is gone
   * it is `off` in any case.
   */
  secondFactor?: 'on' | 'off'
  /** What is proved by it. Undefined for nothing: then the session is no fresher than before. */
  proved?: Proved
  /** Whether it ends all other sessions. */
  endsOthers: boolean
  /**
   * Stores it, in the transaction that has locked the user, and gives what the answer holds beside the tokens.
   * @throws what is to be the answer: then nothing has changed. It goes before the refusal of a session that another
   * change has ended meanwhile.
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

/**
 * After something was taken away from a user, who is locked: what goes with the last factor goes too, where that was
 * it. True where no factor is left.
 */
export type SettleRemoval = (tx: EntityManager, userId: string) => Promise<boolean>

export function createChangeFactors (
  spine: Spine, tickets: HalfDoneTickets, settleRemoval: SettleRemoval
): ChangeFactors {
  const { mail, sessions, signIn, transport, users: { lookUp, needsOf, publicUsers } } = spine
  const hooks: Hooks & Telling<{ onFactorsChanged: OnFactorsChanged }> = spine.hooks

  /** What is stored of every change, of a user who is locked. */
  async function apply<Extra> (
    tx: EntityManager, user: User, note: Note, { type, reason, secondFactor, act }: FactorChange<Extra>,
    { sessionId, client }: { sessionId?: string, client: ReturnType<typeof clientOf> }
  ): Promise<Extra> {
    const extra = await act(tx, user, note)
    const isNoneLeft = type !== 'factor-added' && await settleRemoval(tx, user.id)
    if (isNoneLeft && needsOf(user).needsFactor) throw new LastCredential()
    const now = new Date()
    const mfaAt = isNoneLeft || secondFactor === 'off' ? null : secondFactor === 'on' ? user.mfaAt ?? now : user.mfaAt
    await tx.nativeUpdate(User, { id: user.id }, { factorsChangedAt: now, updatedAt: now, mfaAt })
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
      if (!locked || locked.disabledAt) throw new TokenRevoked()
      const extra = await apply(tx, locked, note, change, { sessionId, client })
      if (locked.epoch > claims.ver) throw new TokenRevoked()
      const proved = change.proved ? provedTogether(claims, change.proved) : null
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

/** What a session has proved that is proved one factor more. */
function provedTogether ({ acr = 'aal1', amr = [] }: AccessClaims, proved: Proved): Proved {
  return raisedBy({ acr, amr }, { ...proved, amr: [...new Set([...amr, ...proved.amr])] })
}
