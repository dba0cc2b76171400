/** The one in the middle. */
export const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!

/** In any order, another one each time. */
export function shuffled <Item> (items: Item[]): Item[] {
  const keys = new Map(items.map((item) => [item, Math.random()]))
  return items.toSorted((a, b) => keys.get(a)! - keys.get(b)!)
}

/** How two samples compare. */
export interface Comparison {
  /** Mann and Whitney's: in how many pairs the first is the greater one. */
  u: number
  /** In which share of the pairs: half where they are alike, 1 where each of the first is greater than all others. */
  share: number
  /** The chance of a difference in ranks like this one if there is none: two-sided, by the normal approximation. */
  p: number
}

export function compare (some: number[], others: number[]): Comparison {
  const ranked = [
    ...some.map((value) => ({ value, isSome: true })),
    ...others.map((value) => ({ value, isSome: false })),
  ].sort((a, b) => a.value - b.value)
  const ranks = ranked.reduce((sum, { isSome }, index) => isSome ? sum + index + 1 : sum, 0)
  const [n, m] = [some.length, others.length]
  const u = ranks - n * (n + 1) / 2
  const z = Math.abs(u - n * m / 2) / Math.sqrt(n * m * (n + m + 1) / 12)
  return { u, share: u / (n * m), p: tail(z) }
}

/** Two-sided, of the normal distribution (Abramowitz and Stegun 7.1.26). */
export function tail (z: number): number {
  const x = 1 / (1 + 0.3275911 * z / Math.SQRT2)
  return (
    x *
    (0.254829592 + x * (-0.284496736 + x * (1.421413741 + x * (-1.453152027 + x * 1.061405429)))) *
    Math.exp((-z * z) / 2)
  )
}
