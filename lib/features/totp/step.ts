/** How long a code is shown (RFC 6238). */
export const stepMs = 30_000

/** The step of a time in ms since 1970. */
export function stepAt (ms: number): number {
  return Math.floor(ms / stepMs)
}
