import { randomBytes } from 'node:crypto'
import { Type, type Static } from '@sinclair/typebox'
import { whenFirstCalled } from '../http/compiling.ts'
import { sharedClaims } from './claims.ts'
import { openSigned } from './compact.ts'
import { TokenExpired, TokenInvalid } from './errors.ts'
import { isOfKind, type TicketKeys } from './keyring.ts'
import type { TokenSettings } from './options.ts'
import { areOurs, compileClaims, isAhead, isExpired } from './tokens.ts'

/** What a ticket opens: the second step of a login, that of a re-authentication, or the enrolment of a first factor. */
export type TicketUse = typeof ticketUses[number]

const ticketUses = ['login', 'reauthenticate', 'enrol'] as const

/**
 * What the audience of tickets ends in, after that of access tokens: so whoever verifies key, issuer and audience alone
 * never takes a ticket for an access token.
 */
const ticketSuffix = '/ticket'

const TicketClaimsSchema = Type.Object({
  iss: sharedClaims.iss,
  aud: Type.String(),
  sub: sharedClaims.sub,
  /** The user's epoch before the first factor was checked. */
  ver: sharedClaims.ver,
  /** When the user's factors had last changed by then, in ms since 1970; 0 for never. */
  fca: Type.Integer({ minimum: 0 }),
  use: Type.Unsafe<TicketUse>({ enum: ticketUses }),
  /** How the user has been authenticated so far (RFC 8176). */
  amr: Type.Array(Type.String({ minLength: 1, maxLength: 16 }), { maxItems: 8 }),
  /** 128 random bits. */
  jti: Type.String({ pattern: '^[\\w-]{22}$' }),
  iat: sharedClaims.iat,
  exp: sharedClaims.exp,
  /** The session that is authenticated anew. */
  sid: Type.Optional(sharedClaims.sid),
  /** The generation of the access token of that session which was shown. */
  gen: Type.Optional(sharedClaims.gen),
  /** How the tokens are to come, as it was asked for in the first step. */
  transport: Type.Optional(Type.Unsafe<'body' | 'cookie'>({ enum: ['body', 'cookie'] })),
  /** Whether cookies are to outlive the browser, as it was asked for in the first step. */
  remember: Type.Optional(Type.Boolean()),
}, { additionalProperties: false })

/** The payload of a ticket: what a sign-in has brought so far. Times are seconds since 1970, but for `fca`. */
export type TicketClaims = Static<typeof TicketClaimsSchema>

/** What a ticket is wanted for. */
export interface TicketWanted {
  use: TicketUse
  /** How the user has been authenticated so far (RFC 8176): 1 to 8 texts of up to 16 characters. */
  amr: readonly string[]
  /** As read before the first factor was checked. */
  user: TicketHolder
  sid?: string | undefined
  gen?: number | undefined
  transport?: 'body' | 'cookie' | undefined
  remember?: boolean | undefined
}

/** What a ticket holds of a user: once any of it has changed the ticket is void. */
export interface TicketHolder {
  id: string
  epoch: number
  factorsChangedAt: Date | null
}

/** Hands out what a sign-in is gone on with that needs a second step. Nothing is stored of it. */
export interface Tickets {
  /** A new ticket, and for how many seconds it is good. Needs a key that signs. */
  issue: (wanted: TicketWanted) => { ticket: string, expiresIn: number }
  /**
   * Checks a ticket for one of these uses by itself: structure, key, signature, claims, use and expiry, in this order.
   * Whether it is void or spent is for the database to say.
   * @throws {TokenInvalid} for anything else, a ticket for another use or an access token too
   * @throws {TokenExpired} for one that is over, or that comes from the future
   */
  verify: (text: string, uses: TicketUse[]) => TicketClaims
}

const isTicketShaped = whenFirstCalled(() => compileClaims(TicketClaimsSchema))

/** Makes tickets of one life, with keys of `keyring.openTickets`. */
export function createTickets (
  keys: TicketKeys, { issuer, audiences }: Pick<TokenSettings, 'issuer' | 'audiences'>, lifeSeconds: number
): Tickets {
  const parties = { issuer, audiences: audiences.map((audience) => `${audience}${ticketSuffix}`) }

  return {
    issue ({ use, amr, user, sid, gen, transport, remember }) {
      const iat = Math.floor(Date.now() / 1000)
      const claims: TicketClaims = {
        iss: issuer,
        aud: parties.audiences[0]!,
        sub: user.id,
        ver: user.epoch,
        fca: factorsChangeOf(user),
        use,
        amr: [...amr],
        jti: randomBytes(16).toString('base64url'),
        iat,
        exp: iat + lifeSeconds,
        ...sid !== undefined && { sid },
        ...gen !== undefined && { gen },
        ...transport !== undefined && { transport },
        ...remember !== undefined && { remember },
      }
      return { ticket: keys.signing!.sign(claims), expiresIn: lifeSeconds }
    },

    verify (text, uses) {
      const { claims } = openSigned(text, (typ, kid) => isOfKind(typ, 'ticket') ? keys.find(kid) : undefined)
      if (!isTicket(claims) || !areOurs(claims, parties, lifeSeconds) || !uses.includes(claims.use)) {
        throw new TokenInvalid()
      }
      // As sessions, tickets end when they end, whatever the option `leeway` says.
      if (isAhead(claims) || isExpired(claims, 0)) throw new TokenExpired()
      return claims
    },
  }
}

/** What `fca` is for a user: another one than that of a ticket makes the ticket void. */
export function factorsChangeOf ({ factorsChangedAt }: Pick<TicketHolder, 'factorsChangedAt'>): number {
  return factorsChangedAt?.getTime() ?? 0
}

function isTicket (claims: unknown): claims is TicketClaims {
  return isTicketShaped(claims)
}
