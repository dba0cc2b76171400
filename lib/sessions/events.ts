import { Type, type Static, type TSchema } from '@sinclair/typebox'
import type { AccountEvent, Telemetry } from '../events/events.ts'

/** What is counted of sessions. */
export const sessionCounters = {
  /** Refreshes that created the next generation. */
  refreshesRotated: 0,
  /** Refreshes that returned the current generation, for a second tab or a retry. */
  refreshesRepeated: 0,
  /** Refreshes that replaced a lost response. */
  refreshesSkipped: 0,
  /** Refresh tokens that the database had lost and accepted again. */
  refreshesAdopted: 0,
  /** Refreshes that were decided again because another request had rotated the session first. */
  refreshesOvertaken: 0,
  /** Used refresh tokens that were used again. Their sessions have ended. */
  refreshesReused: 0,
  /** Refresh tokens of sessions that had ended, expired or been deleted. */
  refreshesEnded: 0,
  /** Refresh tokens that their session never issued. */
  refreshesForged: 0,
  /** Refresh tokens that a re-authentication had invalidated. */
  refreshesSuperseded: 0,
  /** Refreshes that failed for another reason: a check by the app or of the origin, or an unavailable database. */
  refreshesFailed: 0,
  /** Entries of the log of revocations that other processes wrote. */
  revocationsRead: 0,
  /** Generations of sessions whose arrival was recorded. */
  confirmationsWritten: 0,
}

export type SessionCounters = typeof sessionCounters

/** Counts sessions, and tells of them. */
export type SessionTelemetry = Telemetry<SessionCounters, SessionEvents>

const closed = { additionalProperties: false }
const orNull = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()])

const branch = Type.String({ maxLength: 16, pattern: '^[\\w-]*$' })

const reuse = Type.Object({
  /** The token that was used too late. Its branch and time are null if an access token revealed it. */
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

/**
 * Both sides of a reuse: one of the two is somebody else. The token that came too late, and the session that it found.
 */
export type ReuseDetails = Static<typeof reuse>

/** The data of what is told of sessions. */
export const sessionData = { reuse }

/** Why a session has ended. */
export type LogoutReason = 'logout' | 'ended' | 'everywhere' | 'limit' | 'replaced' | 'restore'

/** What is told of sessions. Times are in ms. */
export interface SessionEvents {
  /** A session started, with a password or by `issueTokens`. */
  login: AccountEvent
  /**
   * A session ended. The reason: by a logout, on its own from elsewhere (`ended`), with all sessions of the user
   * (`everywhere`), to make room for another one (`limit`), because its browser started another one (`replaced`), or
   * again because the database had lost its end (`restore`).
   */
  logout: AccountEvent<LogoutReason>
  /** A signed-in user re-authenticated. */
  reauthenticated: AccountEvent
  /** One access token was revoked. Its session continues. */
  'token-revoked': AccountEvent
  /** A used refresh token was used again. Its session has ended. */
  reuse: AccountEvent<never, ReuseDetails>
  /** A genuine refresh token was presented at `POST /refresh`, and was answered or refused. */
  refresh: RefreshEvent
  /**
   * This process read entries of other processes in the log of revocations. The lag is that of the oldest one, if the
   * clocks agree.
   */
  revocations: { instance: string, entries: number, lagMs: number }
}

/**
 * The outcome of a refresh: the next generation, another response of the current one, or one that replaces a lost
 * response. Or why it was refused: the session has ended, expired or been deleted; it never issued this token; a
 * re-authentication has invalidated the token; the token was used before, which ends the session; or anything else,
 * such as a check by the app or an unavailable database.
 */
export type RefreshOutcome =
  'rotated' | 'repeated' | 'skipped' | 'ended' | 'forged' | 'superseded' | 'reused' | 'failed'

/** One refresh. */
export interface RefreshEvent {
  instance: string
  sessionId: string
  userId: string
  outcome: RefreshOutcome
  /** True if the database had lost what the token proves, and accepted it first. */
  adopted: boolean
  /**
   * Whether the `User-Agent` differs from the last request that rotated the session; null if nothing is known to
   * compare.
   */
  userAgentChanged: boolean | null
  /**
   * Whether the network, an IPv4 address or the /64 of an IPv6 address, differs from the last request that rotated the
   * session; null if nothing is known to compare.
   */
  networkChanged: boolean | null
}
