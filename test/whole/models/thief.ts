import type { RotationPolicy, Verdict } from '../../../lib/sessions/rotation.ts'
import { beginning, confirmed, mint, write, type Row, type Scheme, type Token } from './server.ts'

/** An owner who keeps one store, and what his server is set to. Times in seconds. */
export interface Owner {
  windowSeconds: number
  replay: RotationPolicy['replay']
  /** The shortest and the longest time between two refreshes of his. */
  gaps: [least: number, most: number]
  /** He uses his access tokens, so that a guard sees each at once. */
  meetsGuard: boolean
}

interface State {
  now: Date
  row: Row
  held: Token
  loot: Token[]
  /** Seconds since the owner came, and whether he has come or stayed away for good in this one. */
  since: number
  isAfter: boolean
  outlived: number
}

/** Nobody looks for more: who outlives so many rotations outlives them all. */
export const mostOutlived = 6

const second = 1000
const login = Date.UTC(2026, 0, 1)
const good = new Set(['SAME', 'ROTATE', 'SKIP'])

/**
 * How many of the owner's rotations a thief outlives at most, who copies the store once, at the best time, and knows
 * all that is to come: after each of them he still has a token that works. Each state that he can reach is looked at,
 * states that differ in nothing that matters being one, until there is none left.
 */
export function outlives (scheme: Scheme, { windowSeconds, replay, gaps: [least, most], meetsGuard }: Owner) {
  const policy = { windowSeconds, replay, expiresInSeconds: 1e9 }
  const seen = new Set<string>()
  const open: State[] = []
  let best = 0

  const verdicts = new Map<string, Verdict>()

  /** The verdict of the scheme, asked once for states that differ in nothing that matters. */
  function judge (state: State, token: Token): Verdict {
    const key = `${positionOf(state)}|${nameOf(state, token)}`
    let verdict = verdicts.get(key)
    if (verdict === undefined) verdicts.set(key, verdict = scheme.judge(state.row, token, state.now, policy))
    return verdict
  }

  function present (state: State, token: Token): (Pick<State, 'row'> & { answer: Token, moves: boolean }) | undefined {
    const verdict = judge(state, token)
    if (!good.has(verdict)) return
    const found = state.row
    const left = write(
      scheme,
      policy,
      found,
      { token, cameAt: state.now, found, verdict },
      state.now,
      freeBranch(state)
    )!
    const row = verdict === 'SAME' && token.gen === found.gen ? confirm(left.row, token.gen)! : left.row
    return { row, answer: left.answer!, moves: verdict !== 'SAME' }
  }

  function confirm (row: Row, gen: number): Row | undefined {
    return replay === 'until-confirmed' ? confirmed(row, gen) : row
  }

  function reach (state: State): void {
    const loot = state.loot.filter((token) => good.has(judge(state, token)))
    const reached = { ...state, loot: distinct({ ...state, loot }) }
    if (loot.length === 0) return
    const key = keyOf(reached)
    if (seen.has(key)) return
    seen.add(key)
    open.push(reached)
    best = Math.max(best, state.outlived)
  }

  function ownerComes (state: State): State | undefined {
    const result = present(state, state.held)
    const row = result && (meetsGuard ? confirm(result.row, result.answer.gen) : result.row)
    if (!row) return
    return {
      ...state,
      row,
      held: result.answer,
      since: 0,
      isAfter: true,
      outlived: state.outlived + (result.moves ? 1 : 0),
    }
  }

  function thiefActs (state: State): void {
    for (const token of state.loot) {
      const result = present(state, token)
      if (result) reach({ ...state, row: result.row, loot: [...state.loot, result.answer] })
    }
    const row = state.loot.some(({ gen }) => gen === state.row.gen) && confirm(state.row, state.row.gen)
    if (row) reach({ ...state, row })
  }

  function timePasses (state: State): State {
    return { ...state, now: new Date(+state.now + second), since: state.since + 1, isAfter: false }
  }

  const isDue = ({ since, isAfter }: State) => !isAfter && since >= least
  const mayWait = ({ since, isAfter }: State) => isAfter || since < most

  function distinct (state: State): Token[] {
    return [...new Map(state.loot.map((token) => [nameOf(state, token), token])).values()]
  }

  /** What of a token still matters: where it stands, whose it is, and how old it is. */
  function nameOf ({ row, held, now }: State, { gen, br, iat }: Token): string {
    if (gen !== row.gen && gen !== row.prevGen) return 'spent'
    const place = gen === row.gen ? 'current' : br === row.prevBranch ? 'rotated' : 'sibling'
    return `${place}${br === held.br ? ' held' : ''}${Math.min(+now / second - iat, 2 * windowSeconds + 1)}`
  }

  /** What of the row still matters. */
  function positionOf ({ row, now }: State): string {
    const { gen, confirmedGen, answeredAt, rotatedAt, skips } = row
    const age = (at: Date) => Math.min((+now - +at) / second, windowSeconds)
    const isFirst = gen === 0 ? 'f' : ''
    const isSeen = confirmedGen < gen ? '' : 's'
    const rivals = scheme.isShared ? `,${age(rotatedAt)},${skips}` : ''
    return `${isFirst}${isSeen},${age(answeredAt)}${rivals}`
  }

  function keyOf (state: State): string {
    const { since, isAfter, outlived, loot, held } = state
    const names = loot.map((token) => nameOf(state, token)).sort().join()
    return `${positionOf(state)};${Math.min(since, most)}${isAfter ? 'a' : 'b'}${outlived};${nameOf(state, held)};${names}`
  }

  const began = new Date(login)
  const row = beginning(began, policy)
  let alone = [
    { now: began, row, held: mint(row, 'b0', began, scheme), loot: [], since: 0, isAfter: true, outlived: 0 } as State,
  ]
  for (let ticks = 0; ticks < 4 * most + 2 * windowSeconds; ticks++) {
    alone = alone.flatMap((state) => {
      const now = timePasses(state)
      return [...isDue(now) ? [ownerComes(now)!] : [], ...mayWait(now) ? [now] : []]
    }).filter((state) => {
      const key = keyOf(state)
      return !seen.has(key) && seen.add(key)
    })
    for (const state of alone) reach({ ...state, outlived: 0, loot: [state.held] })
  }

  for (let state = open.pop(); state && best < mostOutlived; state = open.pop()) {
    thiefActs(state)
    if (isDue(state)) {
      const next = ownerComes(state)
      if (next) reach(next)
    }
    if (mayWait(state)) reach(timePasses(state))
  }
  return { best, states: seen.size }
}

/** A branch that no token has which still matters. */
function freeBranch ({ row, held, loot }: State): string {
  const taken = new Set([row.prevBranch, held.br, ...loot.map(({ br }) => br)])
  let free = 0
  while (taken.has(`b${free}`)) free++
  return `b${free}`
}
