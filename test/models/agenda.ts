import type { Work } from './schemes/scheme.ts'

/** What happens when, and what comes first where it is the same time. Milliseconds since 1970. */
export function createAgenda (start: number) {
  const entries: { at: number, act: () => void }[] = []
  let now = start

  function later (ms: number, act: () => void): void {
    const at = now + ms
    let index = entries.length
    while (index > 0 && entries[index - 1]!.at > at) index--
    entries.splice(index, 0, { at, act })
  }

  /** The work of a server, with a pause wherever it waits for its database. */
  function work<Result> (steps: Work<Result>, pauseMs: number, then: (result: Result) => void): void {
    const step = steps.next()
    if (step.done) then(step.value)
    else later(pauseMs, () => work(steps, pauseMs, then))
  }

  return {
    now: () => now,
    in: later,
    work,
    /** Lives through all that is to come, and what comes of it. */
    run (): void {
      for (let entry = entries.shift(); entry; entry = entries.shift()) {
        now = entry.at
        entry.act()
      }
    },
  }
}
