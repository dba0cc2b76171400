import type { EntityManager } from '@mikro-orm/core'
import { clientOf, sourceOf } from '../../http/request.ts'
import type { Session } from '../../sessions/entity.ts'
import { TokenRevoked } from '../../sessions/errors.ts'
import type { Note } from '../../sessions/revocation-log.ts'
import { isOver } from '../../sessions/rotation.ts'
import { CredentialsInvalid } from '../../sign-in/errors.ts'
import type { Grant } from '../../sign-in/grant.ts'
import type { User } from '../../users/entity.ts'
import { identifierKey } from '../../users/identifiers.ts'
import { beginningOf, provedBy, type Arrival } from './arrival.ts'
import { decide, type Facts, type Outcome } from './deciding.ts'
import { IdentityTaken, IdentityUnlinked, RegistrationClosed } from './errors.ts'
import { Moved, type Keeping } from './keeping.ts'
import type { ProviderParts } from './parts.ts'
import type { RegisterNewcomer } from './registering.ts'
import type { IdentityRow } from './rows.ts'

/**
 * Does what follows from who has arrived, in one transaction that uses the flow up: begins a session, or goes on with
 * one, or links. Undefined where there is nothing to answer.
 * @throws what is to be the answer
 */
export type Arrive = (arrival: Arrival) => Promise<Grant | undefined>

/** Notes whose identity it is, in the transaction that has locked the user. */
type Keep = (tx: EntityManager, user: User, note: Note) => Promise<void>

export function createArrive (parts: ProviderParts, keeping: Keeping, registerNewcomer: RegisterNewcomer): Arrive {
  const { spine, settings, throttle, counters, rows } = parts
  const { database, hooks, sessions, signIn, users: { lookUp } } = spine
  const { identifiers } = spine.settings
  const isProvedFirst = parts.register.insteads === undefined

  async function factsOf ({ flow: { use, session }, provider, person }: Arrival) {
    const found = await database.run((em) => rows.find(em, person))
    const { email, isVouched } = person
    // Where registrations do not tell whose an address is, one that may be anybody's does not either.
    const counts = email !== undefined && identifiers.includes('email') && (isVouched || !isProvedFirst)
    const holder = counts && found === undefined ? await lookUp.byKey(identifierKey(email)) : null
    const facts: Facts = {
      asker: session?.sub,
      use,
      owner: found?.userId,
      address: counts ? isVouched ? 'vouched' : 'unvouched' : undefined,
      holder: holder ? { id: holder.id, isVerified: holder.emailVerifiedAt !== null } : undefined,
      linksByAddress: settings.linking === 'verified',
      registers: provider.registers ?? settings.routes.register !== undefined,
      needsAddress: !identifiers.includes('username'),
    }
    return { found, facts }
  }

  /** A session begins. */
  async function enter (
    { request, flow, person }: Arrival, userId: string, keep: Keep
  ): Promise<Grant> {
    const user = await lookUp.byId(userId)
    if (!user || user.disabledAt) throw new CredentialsInvalid()
    const { data, claims } = await signIn.givenByHost(user, request)
    const beginning = { ...beginningOf(request, flow), data, ...provedBy(person) }
    const granted = await signIn.signIn(user, beginning,
      (session) => throttle.remember(signIn.grant(session, claims), session),
      async (tx, locked, _, note) => {
        await keep(tx, locked, note)
        await keeping.spend(tx, flow)
        return locked
      })
    hooks.onLogin?.(granted.body.user, sourceOf(request))
    await signIn.endReplaced(request, beginning.transport)
    return granted
  }

  /** Whoever is signed in has an identity more, if their session still goes on. */
  async function linkToAsker ({ request, flow, provider, person }: Arrival, found: IdentityRow | undefined) {
    const { sub, sid } = flow.session!
    await sessions.revocationLog.record(async (tx, _, note) => {
      const user = await lookUp.locked(tx, sub)
      const session = await sessions.find(tx, sid)
      const goesOn = user && !user.disabledAt && session && session.ver >= user.epoch && !isOver(session, new Date())
      if (!goesOn) throw new TokenRevoked()
      await (found
        ? keeping.use(tx, sub, found, provider, person)
        : keeping.link(tx, user, note, { provider, person, request }))
      await keeping.spend(tx, flow)
    })
  }

  /** The session goes on that asks for it. */
  async function confirm ({ request, flow, provider, person }: Arrival, found: IdentityRow): Promise<Grant> {
    const { sid, gen, sub } = flow.session!
    const proved = provedBy(person)
    const judge = async (session: Session) => {
      const attempt = { transport: beginningOf(request, flow).transport, sessionId: sid, gen, request }
      await signIn.judge(session.user, { ...proved, ...attempt })
    }
    return sessions.reauthenticate({ sid, gen }, async (session) => {
      await judge(session).catch(async (refusal) => {
        // What goes on with a second factor has used the flow up.
        await database.transaction((tx) => keeping.spend(tx, flow))
        throw refusal
      })
      const custom = await signIn.customClaims(session, request)
      return (raised) => signIn.grant(raised, custom)
    }, clientOf(request), {
      proved: { acr: 'aal1', ...proved },
      async spend (tx) {
        const user = await lookUp.locked(tx, sub)
        if (!user || user.disabledAt) throw new TokenRevoked()
        await keeping.use(tx, sub, found, provider, person)
        await keeping.spend(tx, flow)
      },
    })
  }

  /** An address links whose account has proved it, as it still has when the user is locked. */
  const linkByAddress = ({ request, provider, person }: Arrival): Keep => async (tx, user, note) => {
    if (user.emailKey !== identifierKey(person.email!) || user.emailVerifiedAt === null) throw new Moved()
    await keeping.link(tx, user, note, { provider, person, request })
  }

  async function follow (arrival: Arrival, outcome: Outcome, found: IdentityRow | undefined): Promise<Grant | void> {
    switch (outcome.act) {
      case 'enter':
        return enter(arrival, outcome.userId, (tx, { id }) =>
          keeping.use(tx, id, found!, arrival.provider, arrival.person))
      case 'confirm': return confirm(arrival, found!)
      case 'link':
        return outcome.by === 'asker'
          ? linkToAsker(arrival, found)
          : enter(arrival, outcome.userId, linkByAddress(arrival))
      case 'register': return registerNewcomer(arrival, beginningOf(arrival.request, arrival.flow), outcome.withAddress)
      case 'refuse': return refuse(arrival, outcome.as)
    }
  }

  async function refuse (arrival: Arrival, as: 'taken' | 'unlinked' | 'closed' | 'addressless'): Promise<Grant> {
    if (as === 'addressless') {
      return registerNewcomer(arrival, beginningOf(arrival.request, arrival.flow), false, ['email'])
    }
    throw new { taken: IdentityTaken, unlinked: IdentityUnlinked, closed: RegistrationClosed }[as]()
  }

  const arrive: Arrive = async (arrival) => {
    const { found, facts } = await factsOf(arrival)
    try {
      const granted = await follow(arrival, decide(facts), found)
      counters.flowsFinished++
      return granted ?? undefined
    } catch (error) {
      // Two who arrive at once for one identity are one user. The request's deadline ends it.
      if (error instanceof Moved) return arrive(arrival)
      throw error
    }
  }
  return arrive
}
