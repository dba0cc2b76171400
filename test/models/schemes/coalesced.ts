import { decide, isOver, isVoid, type SessionState } from '../../../lib/sessions/rotation.ts'
import { refreshClaims, type RefreshClaims } from '../../../lib/tokens/refresh-token.ts'
import { limits, type AccessToken, type Answer, type Clock, type Policy, type Refusal, type Scheme, type Work } from './scheme.ts'

interface ShownToken extends AccessToken {
  gen: number
  ver: number
  iat: number
}

type Row = SessionState & { id: string, authTime: Date }
type Rotation = Pick<Row, 'gen' | 'prevGen' | 'confirmedGen' | 'rotatedAt' | 'refreshExpiresAt'>

const parties = { issuer: 'model', audiences: ['model'] }
const newcomer = { id: 'session', ver: 0, salt: 'salt', gen: 0, prevGen: null, confirmedGen: 0, revokedAt: null }
const mostSecondsAhead = 60
const mostTries = 8

/**
 * The sessions of this plugin: `decide` itself, and the statements of `lib/sessions/` on a row in memory. A statement
 * happens at once; between two of them, where the plugin waits for its database, others may come.
 */
export function coalesced (policy: Policy, login: number): Scheme<RefreshClaims, ShownToken> {
  const { limit, idleUntil, accessUntil } = limits(policy, login)
  const confirms = policy.replay === 'until-confirmed'
  const user = { id: 'ada', epoch: 0, disabledAt: null as Date | null }
  const noted = new Map<number, Set<number>>()
  const [began, idle] = [new Date(login), new Date(idleUntil(login))]
  let row: Row = { ...newcomer, user, authTime: began, rotatedAt: began, refreshExpiresAt: idle, absoluteExpiresAt: new Date(limit) }
  let before: Rotation | undefined

  /** UPDATE … WHERE gen = … AND revoked_at IS NULL AND …: the row as it is by now, or nothing. */
  function swap (found: Row, isUnmoved: boolean, change: Partial<Rotation>): Row | undefined {
    if (!isUnmoved || row.gen !== found.gen || row.revokedAt) return
    before = row
    row = { ...row, ...change }
    return { ...found, ...change }
  }

  const nextLife = (found: Row, now: number) => ({ gen: found.gen + 1, rotatedAt: new Date(now), refreshExpiresAt: new Date(idleUntil(now)) })

  function move (process: number, found: Row, token: RefreshClaims, verdict: string, now: number): Row | undefined {
    if (verdict === 'SAME') return confirm(process, found, token.gen)
    if (verdict === 'ROTATE') return swap(found, true, { ...nextLife(found, now), prevGen: found.gen, confirmedGen: found.gen })
    if (verdict === 'SKIP') return swap(found, row.prevGen === found.prevGen && (!confirms || row.confirmedGen < found.gen), nextLife(found, now))
    swap(found, true, { gen: token.gen, prevGen: found.gen, rotatedAt: new Date(token.iat * 1000), refreshExpiresAt: new Date(token.exp * 1000) })
  }

  function confirm (process: number, found: Row, gen: number): Row {
    const tells = found.confirmedGen < gen && gen === found.gen
    if (confirms && (tells || isVoid(found, gen))) noted.set(process, (noted.get(process) ?? new Set()).add(gen))
    return found
  }

  function * settle (process: number, clock: Clock): Work<void> {
    for (const gen of noted.get(process) ?? []) {
      if (row.gen === gen && row.confirmedGen < gen) row = { ...row, confirmedGen: gen }
      else {
        yield
        if (isVoid(row, gen)) end(clock())
      }
      yield
    }
    noted.delete(process)
  }

  function end (now: number) {
    if (!row.revokedAt) row = { ...row, revokedAt: new Date(now) }
  }

  function answer (found: Row, now: number): Answer<RefreshClaims, ShownToken> {
    const { gen, ver } = found
    return { refresh: refreshClaims(found, parties), access: { gen, ver, iat: Math.floor(now / 1000), exp: accessUntil(now) } }
  }

  /** What a token says of itself: `verify` in `lib/tokens/`, its signature aside. */
  function reject ({ iat, exp }: { iat: number, exp: number }, now: number, lifetime: number): Refusal | undefined {
    if (iat > now / 1000 + mostSecondsAhead || exp - iat > lifetime) return 'INVALID'
    if (now / 1000 >= exp) return 'EXPIRED'
  }

  function admits (process: number, token: ShownToken, clock: Clock): boolean {
    const now = clock()
    const alive = !reject(token, now, policy.accessExpiresInSeconds) && token.ver >= user.epoch && !isOver(row, new Date(now))
    if (alive) confirm(process, row, token.gen)
    return alive
  }

  return {
    limit,
    first: answer(row, login),
    settle,
    admits,

    * refresh (process, token, clock) {
      const refusal = reject(token, clock(), policy.expiresInSeconds)
      if (refusal) return refusal

      yield * settle(process, clock)
      for (let tries = 0; tries < mostTries; tries++) {
        const found = { ...row, user: { ...user } }
        const verdict = decide(found, token, new Date(clock()), policy)
        yield
        if (verdict === 'DEAD') return 'REVOKED'
        if (verdict === 'FORGED' || verdict === 'INVALID') return 'INVALID'
        if (verdict === 'REUSE') {
          end(clock())
          return 'REUSED'
        }
        const moved = move(process, found, token, verdict, clock())
        if (moved) return answer(moved, clock())
        yield
      }
      return 'UNAVAILABLE'
    },

    changePassword (process, token, clock) {
      if (!admits(process, token, clock)) return
      user.epoch++
      row = { ...row, ver: user.epoch }
      return answer(row, clock())
    },

    end (kind, now) {
      if (kind === 'disabled') user.disabledAt = new Date(now)
      else end(now)
      if (kind === 'everywhere') user.epoch++
    },

    crash (process) {
      noted.delete(process)
    },

    forget () {
      if (!before) return
      const { gen, prevGen, confirmedGen, rotatedAt, refreshExpiresAt } = before
      row = { ...row, gen, prevGen, confirmedGen, rotatedAt, refreshExpiresAt }
      before = undefined
    },

    isOver: (now) => isOver(row, new Date(now)),
  }
}
