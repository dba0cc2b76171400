import fc from 'fast-check'
import type { End } from './schemes/scheme.ts'

/** Under what circumstances a client lives, and who else is about. */
export interface Circumstances {
  tabs: number
  /**
   * While one tab waits for new tokens, the others wait too, as with the Web Locks of a browser: always, or where one of
   * the two requests changes the password. A tab by itself waits for its own.
   */
  turns: 'none' | 'passwords' | 'all'
  /** A client that hears nothing asks again while its request may still be under way. */
  hasty: boolean
  /** Requests and answers are lost, and tried again some time or never. */
  losses: boolean
  /**
   * What tabs do with what they are given: one store for all that takes it only where it still holds what was asked
   * with, one store that keeps what came last (a browser's cookies), or each tab a store of its own.
   */
  store: 'compared' | 'last' | 'own'
  /** The longest time between a question and its answer. */
  slowestMs: number
  /** How far the clocks of two server processes may be from the true time. */
  clockMs: number
  /** Server processes are killed, with what they had not written yet. */
  crashes: boolean
  /** The database loses the last refresh that it committed. */
  forgets: boolean
  thief: boolean
  /** The session ends: logged out, ended from another session, its user disabled. */
  ends: boolean
}

export type Deed = 'refresh' | 'use' | 'password' | 'fan-out' | 'copy' | 'thief refresh' | 'thief use' | 'clock' | 'crash' | 'forget' | End

export interface Event {
  deed: Deed
  /** Since the event before. */
  gapMs: number
  tab: number
  process: number
  /** How long a request is under way, how long the server waits before each statement, and how long the answer is under way. */
  upMs: number
  pauseMs: number
  downMs: number
  fate: 'arrives' | 'request lost' | 'answer lost'
  /** Which of the thief's tokens, from the newest on; and where a clock steps to. */
  choice: number
  /** A client shows its new access token at once, as those do that were refused with the old one. */
  shows: boolean
}

export interface Life {
  circumstances: Circumstances
  events: Event[]
}

export const second = 1000
export const minute = 60 * second
export const hour = 60 * minute
export const day = 24 * hour
export const windowSeconds = 30

type Weighed = [weight: number, deed: Deed]

const always: Weighed[] = [[10, 'refresh'], [4, 'use'], [1, 'password']]
const theft: Weighed[] = [[3, 'copy'], [6, 'thief refresh'], [2, 'thief use']]
const endings: Weighed[] = [[1, 'logout'], [1, 'everywhere'], [1, 'disabled']]

/** Lives under these circumstances, crowded around the ends of windows. The shortest and calmest come first when one shrinks. */
export function lives (circumstances: Circumstances): fc.Arbitrary<Life> {
  const { tabs, turns, losses, slowestMs, clockMs, crashes, forgets, thief, ends } = circumstances
  const possible: Weighed[] = [
    ...always, [tabs > 1 && turns !== 'all' ? 2 : 0, 'fan-out'], ...thief ? theft : [], ...ends ? endings : [],
    [clockMs > 0 ? 1 : 0, 'clock'], [crashes ? 1 : 0, 'crash'], [forgets ? 1 : 0, 'forget'],
  ]
  const delay = fc.oneof({ weight: 3, arbitrary: fc.nat(300) }, fc.nat(slowestMs / 2 - 50))
  const event = fc.record<Event>({
    deed: fc.constantFrom(...possible.flatMap(([weight, deed]) => Array<Deed>(weight).fill(deed))),
    gapMs: fc.oneof(
      { weight: 4, arbitrary: fc.nat(2 * second) },
      { weight: 4, arbitrary: fc.integer({ min: windowSeconds * second - 800, max: windowSeconds * second + 800 }) },
      { weight: 2, arbitrary: fc.nat(20 * minute) },
      { weight: 1, arbitrary: fc.nat(29 * day) }
    ),
    tab: fc.nat(tabs - 1),
    process: fc.nat(1),
    upMs: delay,
    pauseMs: fc.nat(5),
    downMs: delay,
    fate: losses ? fc.constantFrom('arrives', 'arrives', 'answer lost', 'answer lost', 'request lost') : fc.constant('arrives'),
    choice: fc.nat(7),
    shows: fc.boolean(),
  }, { noNullPrototype: true })

  return fc.array(event, { minLength: 3, maxLength: 16 }).map((events) => ({ circumstances, events }))
}
