/** A moment on two clocks, in ms: one that nobody sets, and one that goes on while the machine sleeps. */
export interface Moment {
  steady: number
  wall: number
}

export function now (): Moment {
  return { steady: performance.now(), wall: Date.now() }
}

/** How long after another a moment is, by the clock that says more. */
export function msBetween (before: Moment, after: Moment): number {
  return Math.max(after.steady - before.steady, after.wall - before.wall)
}

/** Notices that the event loop has stood still: somebody blocked it or stopped the process, or the machine slept. */
export interface Pulse {
  /**
   * When the last pause was found to be over, by the clock that nobody sets. Asked with the moment that is, it finds a pause
   * before any timer has run.
   */
  pausedUntil: (moment: Moment) => number
  stop: () => void
}

/**
 * Finds each pause that is longer than `ms`, from a moment on, and may find one of half as long. The heart beats twice in
 * that time, so where it has not for all of it there was a pause; a timer that is merely late, as on a busy machine, is none.
 */
export function startPulse (ms: number, from: Moment): Pulse {
  let lastBeat = from
  let pauseEnd = -Infinity
  let timer: NodeJS.Timeout | undefined

  function pausedUntil (moment: Moment): number {
    if (msBetween(lastBeat, moment) > ms) {
      pauseEnd = moment.steady
      lastBeat = moment
    }
    return pauseEnd
  }

  function beat (): void {
    const moment = now()
    pausedUntil(moment)
    lastBeat = moment
    timer = setTimeout(beat, ms / 2).unref()
  }

  beat()
  return { pausedUntil, stop: () => clearTimeout(timer) }
}
