import type { Verdict } from '../../../lib/sessions/rotation.ts'
import { beginning, branching, confirmed, lifted, mint, write, type Policy, type Row, type Token } from './server.ts'

export type Rules = Policy & { maxAgeSeconds: number, accessExpiresInSeconds: number }

/** The defaults of the plugin. */
export const defaults: Rules = {
  windowSeconds: 30,
  replay: 'until-confirmed',
  expiresInSeconds: 30 * 86400,
  maxAgeSeconds: 180 * 86400,
  accessExpiresInSeconds: 900,
}

export interface AccessToken {
  gen: number
  ver: number
  iat: number
  exp: number
}

export interface Answer {
  refresh: Token
  access: AccessToken
}

const mostSecondsAhead = 60
const mostTries = 8

const codes: Partial<Record<Verdict, string>> = {
  DEAD: 'ACCOUNTS_TOKEN_REVOKED',
  FORGED: 'ACCOUNTS_TOKEN_INVALID',
  OLD: 'ACCOUNTS_TOKEN_SUPERSEDED',
  REUSE: 'ACCOUNTS_REFRESH_REUSED',
}

/**
 * One session of the plugin from its login on, as one process sees it to which nobody else talks: the row, and what the
 * process remembers. What is answered is tokens, or the code of a refusal. `br` is the branch that a new token takes.
 */
export function createLife (rules: Rules, login: Date, branch: string) {
  const confirms = rules.replay === 'until-confirmed'
  const noted = new Set<number>()
  const shown = new WeakSet<AccessToken>()
  const verdicts = new Set<Verdict>()
  let row = beginning(login, rules)
  let before: Row | undefined
  let isEnded = false
  let floor = 0

  function commit (next: Row): void {
    if (next !== row) before = row
    row = next
  }

  function end (): void {
    isEnded = true
    row = { ...row, revokedAt: new Date(0) }
  }

  /** Writes what is remembered: a generation that was taken for lost ends the session. */
  function settle (): void {
    for (const gen of noted) {
      const left = confirmed(row, gen)
      if (left) row = left
      else end()
    }
    noted.clear()
  }

  function answer (refresh: Token, now: Date): Answer {
    const iat = Math.floor(+now / 1000)
    const exp = Math.min(iat + rules.accessExpiresInSeconds, Math.floor(+row.absoluteExpiresAt / 1000))
    const isNew = refresh.iat === iat && refresh.exp > iat + rules.expiresInSeconds
    return {
      refresh: isNew ? { ...refresh, exp: iat + rules.expiresInSeconds } : refresh,
      access: { gen: refresh.gen, ver: row.ver, iat, exp },
    }
  }

  /** True where a guard lets it in, which notes that its generation has arrived. */
  function admits (token: AccessToken, now: Date): boolean {
    const seconds = +now / 1000
    const isGood = token.iat <= seconds + mostSecondsAhead && seconds < token.exp
    if (!isGood || isEnded || token.gen < floor || token.ver < row.user.epoch) return false
    if (confirms && token.gen > 0 && !shown.has(token)) noted.add(token.gen)
    shown.add(token)
    return true
  }

  return {
    first: answer(mint(row, branch, login), login),
    /** All that came up so far. */
    verdicts,
    admits,
    settle,

    refresh (token: Token, now: Date, br: string): Answer | string {
      if (+now / 1000 >= token.exp) return 'ACCOUNTS_TOKEN_EXPIRED'
      settle()
      for (let tries = 0; tries < mostTries; tries++) {
        const verdict = branching.judge(row, token, now, rules, isEnded ? Infinity : floor)
        verdicts.add(verdict)
        if (verdict === 'REUSE') end()
        if (codes[verdict]) return codes[verdict]
        const left = write(branching, rules, row, { token, cameAt: now, found: row, verdict }, now, br)
        if (left) commit(left.row)
        if (verdict === 'SAME' && token.gen === row.gen && confirms && row.confirmedGen < row.gen) noted.add(row.gen)
        if (left?.answer) return answer(left.answer, now)
      }
      return 'ACCOUNTS_UNAVAILABLE'
    },

    /** A new password, or the one that there is: nothing where the access token is refused. */
    prove (token: AccessToken, now: Date, br: string, isNewPassword: boolean): Answer | undefined {
      const raised = admits(token, now) ? lifted(row, token.gen, now) : undefined
      if (!raised || raised.refreshExpiresAt <= now || raised.absoluteExpiresAt <= now) return
      commit(raised)
      floor = raised.gen
      if (isNewPassword) row = { ...row, ver: row.user.epoch + 1, user: { ...row.user, epoch: row.user.epoch + 1 } }
      return answer(mint(row, br, now), now)
    },

    end,

    endAll (): void {
      row = { ...row, user: { ...row.user, epoch: row.user.epoch + 1 } }
      end()
    },

    /** The database loses the last move that it committed. */
    forget (): void {
      if (!before) return
      const { gen, prevGen, prevBranch, confirmedGen, floorGen, answeredAt, refreshExpiresAt } = before
      row = { ...row, gen, prevGen, prevBranch, confirmedGen, floorGen, answeredAt, refreshExpiresAt }
      before = undefined
    },
  }
}
