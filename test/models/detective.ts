import type { Answer, Refusal, RefreshToken, Scheme } from './schemes/scheme.ts'

export type Side = 'owner' | 'thief'

/**
 * Knows what no server can: who is who. The two sides *cross* when one comes with a token that is older than what the
 * other was given, and the window of that is over. From there on it counts the refreshes until the session is over.
 */
export function createDetective (scheme: Scheme, windowMs: number) {
  const latest: Record<Side, { gen: number, at: number }> = { owner: { gen: -1, at: 0 }, thief: { gen: -1, at: 0 } }
  let isStolen = false
  let isFound = false
  let crossings = 0
  let lastToCross: Side | undefined
  let refreshes = 0

  return {
    /** With each theft the two sides are one again. */
    theft (): void {
      if (isFound) return
      isStolen = true
      crossings = refreshes = 0
      lastToCross = undefined
      latest.owner = latest.thief = { gen: -1, at: 0 }
    },

    /** A refresh token arrives at the server, whose clock says `clock`. Call what is returned once it is answered. */
    arrives (side: Side, token: RefreshToken, now: number, clock: number) {
      const other = latest[side === 'owner' ? 'thief' : 'owner']
      const crosses = isStolen && other.gen > token.gen && now - other.at >= windowMs && token.exp * 1000 > clock
      if (crossings > 0 && scheme.isOver(clock)) isFound = true

      return (result: Answer | Refusal, doneAt: number): void => {
        if (isStolen && typeof result !== 'string' && result.refresh.gen >= latest[side].gen) latest[side] = { gen: result.refresh.gen, at: doneAt }
        if (crossings > 0 && !isFound) refreshes++
        if (crosses && side !== lastToCross) crossings++
        if (crosses) lastToCross = side
        if (crossings > 0 && scheme.isOver(clock)) isFound = true
      }
    },

    /** `Infinity` where the session was never over, though both crossed again and again. */
    report: () => ({ crossed: isFound || crossings > 3, foundAfter: isFound ? refreshes : Infinity }),
  }
}
