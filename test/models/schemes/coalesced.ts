// @ts-nocheck
import { decide, isOver, isVoid, type SessionState } from '../../../lib/sessions/rotation.ts'
import type { RefreshClaims } from '../../../lib/tokens/refresh-token.ts'
import { limits, type Clock, type Policy, type Scheme, type Work } from './scheme.ts'
import { answerOf, reject, type ShownToken } from './tokens.ts'

type Row = SessionState & { id: string, rotatedAt: Date, authTime: Date }
type Rotation = Pick<Row, 'gen' | 'prevGen' | 'confirmedGen' | 'rotatedAt' | 'answeredAt' | 'refreshExpiresAt'>

const newcomer = { id: 'session', ver: 0, salt: 'salt', gen: 0, prevGen: null, confirmedGen: 0, revokedAt: null }
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
  const began = new Date(login)
  const limitsOfRow = { refreshExpiresAt: new Date(idleUntil(login)), absoluteExpiresAt: new Date(limit) }
  let row: Row = { ...newcomer, ...limitsOfRow, user, authTime: began, rotatedAt: began, answeredAt: began }
  let before: Rotation | undefined

  /** UPDATE … WHERE gen = … AND revoked_at IS NULL AND …: the row as it is by now, or nothing. */
  function swap (found: Row, isUnmoved: boolean, change: Partial<Rotation>): Row | undefined {
    if (!isUnmoved || row.gen !== found.gen || row.revokedAt) return
    write(change)
    return { ...found, ...change }
  }

  function write (change: Partial<Rotation>): void {
    before = row
    row = { ...row, ...change }
  }

  const nextLife = ({ gen }: Row, now: number) =>
    ({ gen: gen + 1, rotatedAt: new Date(now), answeredAt: new Date(now), refreshExpiresAt: new Date(idleUntil(now)) })

  function skip (found: Row, now: number): Row | undefined {
    const isLost = row.prevGen === found.prevGen && +row.answeredAt === +found.answeredAt && (!confirms || row.confirmedGen < found.gen)
    return swap(found, isLost, nextLife(found, now))
  }

  function adopt (found: Row, { gen, iat, exp }: RefreshClaims): void {
    const issued = new Date(iat * 1000)
    swap(found, true, { gen, prevGen: found.gen, rotatedAt: issued, answeredAt: issued, refreshExpiresAt: new Date(exp * 1000) })
  }

  function repeat (found: Row, cameAt: Date): Row | undefined {
    if (found.confirmedGen === found.gen || found.answeredAt >= cameAt) return found
    return swap(found, row.confirmedGen < found.gen && row.answeredAt < cameAt, { answeredAt: cameAt })
  }

  function move (process: number, found: Row, token: RefreshClaims, cameAt: Date, verdict: string, now: number): Row | undefined {
    if (verdict === 'SAME') return token.gen === found.gen ? confirm(process, found, token.gen) : repeat(found, cameAt)
    if (verdict === 'ROTATE') return swap(found, true, { ...nextLife(found, now), prevGen: found.gen, confirmedGen: found.gen })
    if (verdict === 'SKIP') return skip(found, now)
    adopt(found, token)
  }

  function confirm (process: number, found: Row, gen: number): Row {
    const tells = found.confirmedGen < gen && gen === found.gen
    if (tells || isVoid(found, gen)) noted.set(process, (noted.get(process) ?? new Set()).add(gen))
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

  const answer = (found: Row, now: number) => answerOf(found, now, accessUntil(now))

  function admits (process: number, token: ShownToken, clock: Clock): boolean {
    const now = clock()
    const alive = !reject(token, now, policy.accessExpiresInSeconds) && token.ver >= user.epoch && !isOver(row, new Date(now))
    if (alive && confirms) confirm(process, row, token.gen)
    return alive
  }

  return {
    limit,
    first: answer(row, login),
    settle,
    admits,

    * refresh (process, token, clock) {
      const cameAt = new Date(clock())
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
        const moved = move(process, found, token, cameAt, verdict, clock())
        if (moved) return answer(moved, clock())
        yield
      }
      return 'UNAVAILABLE'
    },

    changePassword (process, token, clock) {
      if (!admits(process, token, clock)) return
      user.epoch++
      row = { ...row, ver: user.epoch }
      const answeredAt = new Date(clock())
      if (row.confirmedGen < row.gen && row.answeredAt < answeredAt) write({ answeredAt })
      return answer(row, clock())
    },

    end (kind, now) {
      if (kind === 'disabled') user.disabledAt = new Date(now)
      else end(now)
      if (kind === 'everywhere') user.epoch++
    },

    crash: (process) => { noted.delete(process) },

    forget () {
      if (!before) return
      const { gen, prevGen, confirmedGen, rotatedAt, answeredAt, refreshExpiresAt } = before
      row = { ...row, gen, prevGen, confirmedGen, rotatedAt, answeredAt, refreshExpiresAt }
      before = undefined
    },

    isOver: (now) => isOver(row, new Date(now)),
  }
}
