import diagnostics from 'node:diagnostics_channel'

/** What has been counted since the app began, in this process. */
export interface Counters {
  /** Access tokens that were remembered from an earlier request, and those whose signature was checked. */
  tokensRemembered: number
  tokensVerified: number
  /** Users that guards knew from memory, and those who were read. */
  usersRemembered: number
  usersRead: number
  /** Refreshes by what came of them: the next generation; the one that is there, for a second tab or a retry; one that replaces a lost answer. */
  refreshesRotated: number
  refreshesRepeated: number
  refreshesSkipped: number
  /** Refresh tokens that the database had lost, and took back. */
  refreshesAdopted: number
  /** Refreshes that were first too late: another request had moved the session, so they were judged again. */
  refreshesOvertaken: number
  /** Spent refresh tokens that were used again: their sessions are over. */
  refreshesReused: number
  /**
   * Refresh tokens of sessions that were over, gone or expired; those that a session never gave out; those that a proof of
   * who one is has made void.
   */
  refreshesEnded: number
  refreshesForged: number
  refreshesSuperseded: number
  /** Refreshes that came to nothing for another reason: a check of the host's or of the origin, or a database that was away. */
  refreshesFailed: number
  /** Entries of the log that other processes have written. */
  revocationsRead: number
  /** Generations of sessions whose arrival was written down. */
  confirmationsWritten: number
  /** Attempts that were refused without being made, and times that somebody was blocked. */
  attemptsThrottled: number
  bucketsBlocked: number
}

/** What happened to an account, and where it was asked for. Code asks from nowhere. */
export interface AccountEvent {
  instance: string
  userId: string | null
  sessionId: string | null
  /** Which of several ways it happened in, where there are some. */
  reason: EventReason | null
  ip: string | null
  userAgent: string | null
}

/** What is published on the channels `fastify-jwt-accounts:<event>` of node:diagnostics_channel. Times are in ms. */
export interface AccountsEvents {
  /** Somebody opened an account. */
  register: AccountEvent
  /** A session began, by a password or by `issueTokens`. */
  login: AccountEvent
  /** A password was wrong, at a login or where it had to be given again (`confirm`). Without a `userId`: nobody has that name. */
  'login-failed': AccountEvent
  /** After too many failures further attempts have to wait: at an account from one network, of a network, or at an account. */
  lock: AccountEvent
  /**
   * A session was ended: by a logout, by itself from elsewhere (`ended`), with all of the user's (`everywhere`), to make
   * room for another one (`limit`), because its browser has begun another one (`replaced`), or once more, since the
   * database had lost its end (`restore`).
   */
  logout: AccountEvent
  'password-changed': AccountEvent
  /** A user has other roles. */
  'roles-changed': AccountEvent
  /** A user has lost the right to sign in, and all sessions. */
  'user-disabled': AccountEvent
  /** A user has it back. */
  'user-enabled': AccountEvent
  /** The name, the address or the app's own fields of a user were changed. */
  'user-changed': AccountEvent
  /** A user was deleted, by an admin or by code. */
  'user-deleted': AccountEvent
  /** Somebody closed their own account: the user was deleted. */
  closed: AccountEvent
  /** Somebody who was signed in gave the password once more. */
  reauthenticated: AccountEvent
  /** One access token was ended by itself: its session goes on. */
  'token-revoked': AccountEvent
  /** A spent refresh token was used again: its session is over. */
  reuse: AccountEvent & ReuseDetails
  /** A request with cookies did not prove where it comes from. */
  'csrf-failed': { instance: string, ip: string | null, userAgent: string | null }
  /** A refresh token that is ours came to `POST /refresh`, and was answered or refused. */
  refresh: RefreshEvent
  /** Entries of the log arrived from other processes. The lag is that of the oldest, if the clocks agree. */
  revocations: { instance: string, entries: number, lagMs: number }
}

/**
 * What came of a refresh: the next generation, another answer within the one that is there, or one that replaces an answer
 * taken for lost. Or a refusal: the session is over, gone or expired; it never gave out this token; a proof of who one is
 * has made the token void; it was spent before, and the session ends for it; anything else, as a check of the host's or a
 * database that is away.
 */
export type RefreshOutcome = 'rotated' | 'repeated' | 'skipped' | 'ended' | 'forged' | 'superseded' | 'reused' | 'failed'

/** One refresh. */
export interface RefreshEvent {
  instance: string
  sessionId: string
  userId: string
  outcome: RefreshOutcome
  /** True where the database had lost what the token tells of, and took it back first. */
  adopted: boolean
  /** Whether the request has another `User-Agent` than the last that moved the session; null where nothing is known to compare. */
  userAgentChanged: boolean | null
  /** The same for the network: an IPv4 address, or the /64 of an IPv6 one. */
  networkChanged: boolean | null
}

/** Which of two siblings came later, and what had come before: one of both is in the hands of somebody else. */
export interface ReuseDetails {
  /** The token that was used too late. By an access token alone its branch and its time are not known. */
  shown: { gen: number, br: string | null, issuedAt: number | null }
  /**
   * The session as it was: its generation, the generation and branch of the token that was rotated to make it, when it was
   * used last, and where from.
   */
  session: {
    gen: number
    prevGen: number | null
    prevBranch: string | null
    lastUsedAt: number
    ip: string | null
    userAgent: string | null
  }
}

/** What failures are counted by: an account as one network tries it, or one known device; all of one network; all at one account. */
export type BucketKind = 'account-network' | 'account-device' | 'network' | 'account'

/** Why it happened, where there are several ways. */
export type EventReason =
  BucketKind | 'login' | 'confirm' | 'logout' | 'ended' | 'everywhere' | 'limit' | 'replaced' | 'restore'

/** What is also kept in the table of events, where the app wants that. */
export type StoredEvent = {
  [Name in keyof AccountsEvents]: AccountsEvents[Name] extends AccountEvent ? Name : never
}[keyof AccountsEvents]

export interface Telemetry {
  counters: Counters
  publish: <Name extends keyof AccountsEvents>(name: Name, event: Omit<AccountsEvents[Name], 'instance'>) => void
}

/** Counts, and tells whoever listens on the channels of the accounts `instance`. */
export function createTelemetry (instance: string): Telemetry {
  return {
    counters: {
      tokensRemembered: 0,
      tokensVerified: 0,
      usersRemembered: 0,
      usersRead: 0,
      refreshesRotated: 0,
      refreshesRepeated: 0,
      refreshesSkipped: 0,
      refreshesAdopted: 0,
      refreshesOvertaken: 0,
      refreshesReused: 0,
      refreshesEnded: 0,
      refreshesForged: 0,
      refreshesSuperseded: 0,
      refreshesFailed: 0,
      revocationsRead: 0,
      confirmationsWritten: 0,
      attemptsThrottled: 0,
      bucketsBlocked: 0,
    },
    publish (name, event) {
      diagnostics.channel(`fastify-jwt-accounts:${name}`).publish({ instance, ...event })
    },
  }
}
