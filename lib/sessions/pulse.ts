/** A moment on two clocks, in ms: `steady` is never set, and `wall` goes on while the machine sleeps. */
export interface Moment {
  steady: number
  wall: number
}

export function now (): Moment {
  return { steady: performance.now(), wall: Date.now() }
}

/** How long after another a moment is, by the clock that has gone on for longer. */
export function msBetween (before: Moment, after: Moment): number {
  return Math.max(after.steady - before.steady, after.wall - before.wall)
}

/** Notices that the event loop has stood still: somebody blocked it or stopped the process, or the machine slept. */
export interface Pulse {
  /**
   * When the end of the last pause was noticed, by the `steady` clock. Called with the present moment, it notices a
   * pause before any timer has run.
   */
  pausedUntil: (moment: Moment) => number
  stop: () => void
}

/**
 * Notices each pause from a moment on that is longer than `ms`, and may notice one half as long. A timer is due twice
 * in that time: when it has not run for all of it there was a pause, and not only a timer that is late on a busy
 * machine.
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
