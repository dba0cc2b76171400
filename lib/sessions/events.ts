import { Type, type Static, type TSchema } from '@sinclair/typebox'
import type { AccountEvent, Telemetry } from '../events/events.ts'

/** What is counted of sessions. */
export const sessionCounters = {
  /** Refreshes that made the next generation. */
  refreshesRotated: 0,
  /** Refreshes that gave the generation that is there, for a second tab or a retry. */
  refreshesRepeated: 0,
  /** Refreshes that replaced a lost answer. */
  refreshesSkipped: 0,
  /** Refresh tokens that the database had lost, and took back. */
  refreshesAdopted: 0,
  /** Refreshes that were first too late: another request had moved the session, so they were judged again. */
  refreshesOvertaken: 0,
  /** Spent refresh tokens that were used again: their sessions are over. */
  refreshesReused: 0,
  /** Refresh tokens of sessions that were over, gone or expired. */
  refreshesEnded: 0,
  /** Refresh tokens that a session never gave out. */
  refreshesForged: 0,
  /** Refresh tokens that a proof of who one is has made void. */
  refreshesSuperseded: 0,
  /**
   * Refreshes that came to nothing for another reason: a check of the host's or of the origin, or a database that was
   * away.
   */
  refreshesFailed: 0,
  /** Entries of the log that other processes have written. */
  revocationsRead: 0,
  /** Generations of sessions whose arrival was written down. */
  confirmationsWritten: 0,
}

export type SessionCounters = typeof sessionCounters

/** Counts sessions, and tells of them. */
export type SessionTelemetry = Telemetry<SessionCounters, SessionEvents>

const closed = { additionalProperties: false }
const orNull = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()])

const branch = Type.String({ maxLength: 16, pattern: '^[\\w-]*$' })

const reuse = Type.Object({
  /** The token that was used too late. By an access token alone its branch and its time are not known. */
  shown: Type.Object({
    gen: Type.Integer(), br: orNull(branch), issuedAt: orNull(Type.Number()),
  }, closed),
  /**
   * The session as it was: its generation, the generation and branch of the token that was rotated to make it, when it
   * was used last, and where from.
   */
  session: Type.Object({
    gen: Type.Integer(),
    prevGen: orNull(Type.Integer()),
    prevBranch: orNull(branch),
    lastUsedAt: orNull(Type.Number()),
    ip: orNull(Type.String({ maxLength: 64 })),
    userAgent: orNull(Type.String({ maxLength: 512 })),
  }, closed),
}, closed)

/** Which of two siblings came later, and what had come before: one of both is in the hands of somebody else. */
export type ReuseDetails = Static<typeof reuse>

/** The data of what is told of sessions. */
export const sessionData = { reuse }

/** Why a session has ended. */
export type LogoutReason = 'logout' | 'ended' | 'everywhere' | 'limit' | 'replaced' | 'restore'

/** What is told of sessions. Times are in ms. */
export interface SessionEvents {
  /** A session began, by a password or by `issueTokens`. */
  login: AccountEvent
  /**
   * A session was ended. The reason: by a logout, by itself from elsewhere (`ended`), with all of the user's
   * (`everywhere`), to make room for another one (`limit`), because its browser has begun another one (`replaced`), or
   * once more, since the database had lost its end (`restore`).
   */
  logout: AccountEvent<LogoutReason>
  /** Somebody who was signed in gave the password once more. */
  reauthenticated: AccountEvent
  /** One access token was ended by itself: its session goes on. */
  'token-revoked': AccountEvent
  /** A spent refresh token was used again: its session is over. */
  reuse: AccountEvent<never, ReuseDetails>
  /** A refresh token that is ours came to `POST /refresh`, and was answered or refused. */
  refresh: RefreshEvent
  /** Entries of the log arrived from other processes. The lag is that of the oldest, if the clocks agree. */
  revocations: { instance: string, entries: number, lagMs: number }
}

/**
 * What came of a refresh: the next generation, another answer within the one that is there, or one that replaces an
 * answer taken for lost. Or a refusal: the session is over, gone or expired; it never gave out this token; a proof of
 * who one is has made the token void; it was spent before, and the session ends for it; anything else, as a check of
 * the host's or a database that is away.
 */
export type RefreshOutcome =
  'rotated' | 'repeated' | 'skipped' | 'ended' | 'forged' | 'superseded' | 'reused' | 'failed'

/** One refresh. */
export interface RefreshEvent {
  instance: string
  sessionId: string
  userId: string
  outcome: RefreshOutcome
  /** True where the database had lost what the token tells of, and took it back first. */
  adopted: boolean
  /**
   * Whether the request has another `User-Agent` than the last that moved the session; null where nothing is known to
   * compare.
   */
  userAgentChanged: boolean | null
  /**
   * Whether the request comes from another network than the last that moved the session, an IPv4 address or the /64 of
   * an IPv6 one; null where nothing is known to compare.
   */
  networkChanged: boolean | null
}
