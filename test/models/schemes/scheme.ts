/** What a client is given. The later one was made, the higher is its number: a client can tell which is the newest. */
export interface RefreshToken {
  gen: number
  /** Seconds since 1970. */
  exp: number
}

export interface AccessToken {
  /** Seconds since 1970. */
  exp: number
}

export interface Answer<Refresh extends RefreshToken = RefreshToken, Access extends AccessToken = AccessToken> {
  refresh: Refresh
  access: Access
}

/** The reasons of a 401, and of a 503. */
export type Refusal = 'INVALID' | 'EXPIRED' | 'REVOKED' | 'REUSED' | 'UNAVAILABLE'

/** What a server process takes for the time: milliseconds since 1970. */
export type Clock = () => number

/** `everywhere` comes from another session: a changed password, or a logout of all. */
export type End = 'logout' | 'everywhere' | 'disabled'

/** Work of a server that others may come between, wherever it yields. */
export type Work<Result> = Generator<undefined, Result>

export interface Policy {
  windowSeconds: number
  expiresInSeconds: number
  maxAgeSeconds: number
  accessExpiresInSeconds: number
  replay: 'until-confirmed' | 'until-superseded'
}

/** A server that keeps one login, as a model: no HTTP, no database, no signatures, and time is what its clocks say. */
export interface Scheme<Refresh extends RefreshToken = RefreshToken, Access extends AccessToken = AccessToken> {
  /** What the login was answered with. */
  first: Answer<Refresh, Access>
  /** Milliseconds since 1970, by the clock of the login. */
  limit: number
  refresh (process: number, token: Refresh, clock: Clock): Work<Answer<Refresh, Access> | Refusal>
  /** True where a guard lets an access token in. */
  admits (process: number, token: Access, clock: Clock): boolean
  /** Changes the password from this session, which goes on, maybe with other tokens. */
  changePassword (process: number, token: Access, clock: Clock): Answer<Refresh, Access> | undefined
  end (kind: End, now: number): void
  /** What a process does about a second later. */
  settle (process: number, clock: Clock): Work<void>
  /** A process is killed, and forgets. */
  crash (process: number): void
  /** The database loses the last refresh that it committed. */
  forget (): void
  isOver (now: number): boolean
}

/** The same limits for all. */
export function limits ({ expiresInSeconds, maxAgeSeconds, accessExpiresInSeconds }: Policy, login: number) {
  const limit = login + maxAgeSeconds * 1000
  return {
    limit,
    idleUntil: (now: number) => Math.min(now + expiresInSeconds * 1000, limit),
    accessUntil: (now: number) => Math.min(Math.floor(now / 1000) + accessExpiresInSeconds, Math.floor(limit / 1000)),
  }
}
