import { hour, second, windowSeconds, type Circumstances, type Deed, type Event } from './life.ts'
import type { RefreshToken, Scheme } from './schemes/scheme.ts'

const visit: Event = {
  deed: 'refresh', gapMs: hour, tab: 0, process: 0, upMs: 9, pauseMs: 1, downMs: 9, fate: 'arrives', choice: 0, shows: false,
}

/** What is still to come when a life has been told: each side comes back often enough to be noticed. */
export function tailOf ({ thief }: Circumstances, events: Event[]): Event[] {
  if (!thief) return [visit]
  const visits: Deed[] = ['thief refresh', 'refresh', 'thief refresh', 'refresh', 'thief refresh', 'refresh']
  const shows = events.at(-1)!.shows
  return [...events.some(({ deed }) => deed === 'copy') ? [] : ['copy' as Deed], ...visits].map((deed) => ({ ...visit, deed, shows }))
}

/** How many of these tokens work, one after another, the newest first. */
export function linesOf (scheme: Scheme, issued: Map<number, RefreshToken>, now: number): number {
  const tokens = [...issued.values()].toSorted((one, other) => other.gen - one.gen)
  return tokens.filter((token, index) => {
    const at = now + (index + 1) * 2 * windowSeconds * second
    const work = scheme.refresh(0, token, () => at)
    let step = work.next()
    while (!step.done) step = work.next()
    return typeof step.value !== 'string'
  }).length
}
