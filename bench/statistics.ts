/** What was measured round by round: the median, and what a quarter of the rounds stayed below, and above. */
export interface Spread { median: number, low: number, high: number }

export function spreadOf (values: number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  return { median: quantile(sorted, 0.5), low: quantile(sorted, 0.25), high: quantile(sorted, 0.75) }
}

/**
 * One measured against another, round by round: what disturbs a round disturbs both, so the ratios within rounds are
 * steadier than the ratio of the medians.
 */
export function ratioOf (values: number[], base: number[]): Spread {
  return spreadOf(values.map((value, round) => value / base[round]!))
}

/** Of values in order. */
export function quantile (sorted: ArrayLike<number>, part: number): number {
  return sorted[Math.floor((sorted.length - 1) * part)]!
}

const written =
  (digits: number) =>
    ({ median, low, high }: Spread) => {
      const [middle, from, to] = [median, low, high].map((value) =>
        digits === 0 ? Math.round(value).toLocaleString('en') : value.toFixed(digits)
      )
      return `${middle} (${from}–${to})`
    }
export const [whole, tenths, hundredths] = [written(0), written(1), written(2)]
