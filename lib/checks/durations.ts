/** A number of whole seconds, or a text such as `'30s'`, `'15m'`, `'12h'`, `'30d'`, `'2w'`. */
export type Duration = number | `${number}${'s' | 'm' | 'h' | 'd' | 'w'}`

const secondsOf: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 }

/** Ten years. */
export const mostSeconds = 10 * 365 * 86400

/** True for a duration of one second to `most` seconds, or of none at all where `zero` allows it. */
export function isDuration (value: unknown, { zero = false, most = mostSeconds } = {}): boolean {
  const seconds = inSeconds(value)
  return Number.isInteger(seconds) && seconds >= (zero ? 0 : 1) && seconds <= most
}

/** NaN for what is no duration: `'900'` could be seconds or milliseconds, so it is none. */
export function inSeconds (value: unknown): number {
  if (typeof value === 'number') return value
  const [, amount, unit] = (typeof value === 'string' && /^(\d{1,9})([smhdw])$/.exec(value)) || []
  return unit === undefined ? NaN : Number(amount) * secondsOf[unit]!
}
