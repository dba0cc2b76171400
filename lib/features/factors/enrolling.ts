import type { AnyReply, AnyRequest } from '../../http/request.ts'
import { EmailUnverified } from '../../guards/errors.ts'
import type { Guard } from '../../guards/guard.ts'
import { TokenRevoked } from '../../sessions/errors.ts'
import { TokenMissing } from '../../transport/errors.ts'
import type { Location } from '../../transport/options.ts'
import type { AccessClaims } from '../../tokens/claims.ts'
import type { TicketClaims } from '../../tokens/ticket.ts'
import type { User } from '../../users/entity.ts'
import type { Spine } from '../spine.ts'
import type { HalfDoneTickets } from './half-done.ts'

/** Who sets up a factor: in a session, or with a ticket after a first factor, in place of one. */
export type Enroller = SignedIn | HalfSignedIn

/** Somebody in a session, by the token that was shown. */
export interface SignedIn {
  user: User
  claims: AccessClaims
  location: Location
}

/** Somebody with a ticket. */
export interface HalfSignedIn {
  user: User
  ticket: TicketClaims
}

/**
 * Who sets up a factor by this request: with the ticket of the body, or signed in and strong, or with the ticket of a
 * cookie.
 * @throws the errors of a guard, and of tickets
 * @throws {EmailUnverified} where mails are on, and the address of the user was never proved
 */
export type Enrolling = (request: AnyRequest, reply: AnyReply, ticket: string | undefined) => Promise<Enroller>

/**
 * Who has sent a request, which `guard` lets in where no ticket for an enrolment comes along: of the body, or else of
 * the cookie where there is no access token.
 * @throws the errors of the guard, and of tickets
 */
export type FindHalfSignedIn = (
  request: AnyRequest, reply: AnyReply, guard: Guard, ticket: string | undefined
) => Promise<Enroller>

/**
 * Who has sent a request that a guard has let in.
 * @throws {TokenRevoked} where the user was deleted since
 */
export type FindSignedIn = (request: AnyRequest) => Promise<SignedIn>

export function createFindSignedIn ({ users: { lookUp } }: Spine): FindSignedIn {
  return async ({ auth: { claims, location } }) => {
    const user = await lookUp.byId(claims.sub)
    if (!user) throw new TokenRevoked()
    return { user, claims: claims as AccessClaims, location }
  }
}

export function createFindHalfSignedIn (
  { transport: { locator, ownLocations } }: Spine, tickets: HalfDoneTickets, signedIn: FindSignedIn
): FindHalfSignedIn {
  function hasToken (request: AnyRequest): boolean {
    try {
      return Boolean(locator.locate(request, 'access', ownLocations))
    } catch (error) {
      return !(error instanceof TokenMissing)
    }
  }

  return async (request, reply, guard, given) => {
    if (given !== undefined || (!hasToken(request) && tickets.isInCookie(request))) {
      const { user, claims } = await tickets.take(request, given, ['enrol'])
      return { user, ticket: claims }
    }
    await guard(request, reply)
    return signedIn(request)
  }
}

export function createEnrolling ({ guards, mail }: Spine, halfSignedIn: FindHalfSignedIn): Enrolling {
  const guard = guards.ownGuard({ strong: 'always', isWayOut: true, consistency: 'strict' })

  return async (request, reply, given) => {
    const enroller = await halfSignedIn(request, reply, guard, given)
    const { email, emailVerifiedAt } = enroller.user
    // Before an account is proved to be theirs, a stranger could lock its owner out by a factor.
    if (mail && email !== null && emailVerifiedAt === null) throw new EmailUnverified()
    return enroller
  }
}
