/**
 * For how long a part measures: everything is started so often, and each time measured in so many rounds, within so
 * long.
 */
export interface Pace { starts: number, rounds: number, roundMs: number, mostMs: number }

export const usual: Pace = { starts: 3, rounds: 4, roundMs: 600, mostMs: 210_000 }

/** So short that it measures nothing: it only shows that everything still runs. */
export const smoke: Pace = { starts: 1, rounds: 1, roundMs: 100, mostMs: 20_000 }

/**
 * Measures everything in turns, forwards and then backwards, and gives what came of each, round by round. No round but
 * the first is begun when time is up.
 */
export async function interleave<Lane, Result> (
  lanes: Lane[],
  rounds: number,
  mostMs: number,
  measure: (lane: Lane) => Promise<Result>
): Promise<Map<Lane, Result[]>> {
  const results = new Map<Lane, Result[]>(lanes.map((lane) => [lane, []]))
  const endsAt = performance.now() + mostMs
  for (let round = 0; round < rounds && (round === 0 || performance.now() < endsAt); round++) {
    for (const lane of round % 2 === 0 ? lanes : lanes.toReversed()) results.get(lane)!.push(await measure(lane))
  }
  return results
}
