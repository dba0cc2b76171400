import { timingSafeEqual } from 'node:crypto'

/** Compares what somebody sent with what they should know, in the same time wherever the first difference is. */
export function isEqual (sent: string, expected: string): boolean {
  const [presented, known] = [Buffer.from(sent), Buffer.from(expected)]
  return presented.length === known.length && timingSafeEqual(presented, known)
}
