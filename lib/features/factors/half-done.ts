import type { EntityManager } from '@mikro-orm/core'
import type { AnyRequest } from '../../http/request.ts'
import { isOurs } from '../../http/our-error.ts'
import type { AnyReply } from '../../http/request.ts'
import type { Spent } from '../../one-time/spent.ts'
import { TokenRevoked } from '../../sessions/errors.ts'
import type { Beginning } from '../../sessions/births.ts'
import type { Attempt } from '../../sign-in/sign-in.ts'
import { factorsChangeOf, type TicketClaims, type Tickets, type TicketUse } from '../../tokens/ticket.ts'
import { TokenExpired } from '../../tokens/errors.ts'
import { setCookies } from '../../transport/keep.ts'
import { TokenMissing } from '../../transport/errors.ts'
import type { User } from '../../users/entity.ts'
import type { Spine } from '../spine.ts'
import type { HalfDone } from './errors.ts'
import type { FactorCounters } from './events.ts'

/** The ticket of a request, and the user who has proved a first factor. */
export interface ShownTicket {
  claims: TicketClaims
  user: User
}

/** Tickets of those who have proved a first factor and not the second. Nothing is stored until one is used. */
export interface HalfDoneTickets {
  /** A ticket for who has proved this. Where their session is to be in cookies it travels in a cookie too. */
  give: (user: User, use: TicketUse, attempt: Attempt) => HalfDone
  /**
   * The ticket of a request: of the body, or else of the cookie.
   * @throws {TokenMissing | TokenInvalid | TokenExpired}
   * @throws {TokenRevoked} where the user, their epoch, their factors or the session are not as they were
   */
  take: (request: AnyRequest, given: string | undefined, uses: TicketUse[]) => Promise<ShownTicket>
  /**
   * How a session begins by a ticket: as whoever gave the first factor wished.
   * @throws {CsrfFailed} where its tokens would go into cookies, and the request is not known to come from the own site
   */
  beginningOf: (request: AnyRequest, ticket: TicketClaims) => Beginning
  /** Whether a request brings a ticket in a cookie. */
  isInCookie: (request: AnyRequest) => boolean
  /**
   * Uses a ticket up, in the transaction that has locked its user, who is given as they are then.
   * @throws {TokenRevoked} where it was used before, or the user's factors have changed
   */
  spend: (tx: EntityManager, user: User, claims: TicketClaims) => Promise<void>
  /** Takes the cookie of a ticket back: after success, or where the ticket itself is refused for good. */
  forget: (request: AnyRequest, reply: AnyReply, error?: unknown) => void
}

interface TicketParts {
  spine: Spine
  tickets: Tickets
  spent: Spent
}

export function createHalfDoneTickets ({ spine, tickets, spent }: TicketParts): HalfDoneTickets {
  const { signIn, telemetry, transport: { cookies }, users: { lookUp } } = spine
  const counters = telemetry.counters as FactorCounters

  return {
    give (user, use, { amr, transport, sessionId: sid, gen }) {
      counters.ticketsGiven++
      const isInBody = transport === 'body'
      const wish = isInBody
        ? { transport: 'body' as const }
        : { transport: 'cookie' as const, remember: transport === 'cookie' }
      const { ticket, expiresIn } = tickets.issue({ use, user, amr, sid, gen, ...wish })
      return isInBody
        ? { ticket, expires_in: expiresIn, cookies: [] }
        : { expires_in: expiresIn, cookies: [cookies.keep('ticket', ticket, expiresIn)] }
    },

    async take (request, given, uses) {
      const text = given ?? cookies.read(request, 'ticket')
      if (text === undefined) throw new TokenMissing()
      const claims = tickets.verify(text, uses)
      const user = await lookUp.byId(claims.sub)
      const isAsBefore = user && !user.disabledAt && user.epoch === claims.ver && factorsChangeOf(user) === claims.fca
      if (!isAsBefore) throw new TokenRevoked()
      return { claims, user }
    },

    beginningOf: (request, { transport, remember }) =>
      signIn.beginningOf(request, { ...transport && { transport }, ...remember !== undefined && { remember } }),

    isInCookie: (request) => cookies.read(request, 'ticket') !== undefined,

    async spend (tx, user, claims) {
      if (factorsChangeOf(user) !== claims.fca) throw new TokenRevoked()
      if (await spent.spend(tx, 'ticket', claims.jti, new Date(claims.exp * 1000))) return
      counters.spentTwice++
      throw new TokenRevoked()
    },

    forget (request, reply, error) {
      if (cookies.read(request, 'ticket') === undefined) return
      if (error !== undefined && !isRefusal(error)) return
      setCookies(reply, [cookies.drop('ticket')])
    },
  }
}

/** Of the ticket itself, and not of a code that was mistyped. */
function isRefusal (error: unknown): boolean {
  return isOurs(error) && error.code.startsWith('ACCOUNTS_TOKEN_') && !(error instanceof TokenExpired)
}
