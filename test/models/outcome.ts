/** What became of a life. */
export interface Outcome {
  /** The owner had to log in again, and nobody wanted that. */
  loggedOut: boolean
  /** One side came with a token that was spent by the other, and the window of that was over. */
  crossed: boolean
  /** How many refreshes of either side it took from there until the session was over. Infinity: it never was. */
  foundAfter: number
  /** The session was over when all was done. */
  isOver: boolean
  /** How many refresh tokens still work at the end, one after another, each after the window of the one before. */
  lines: number
  /** What was let in after the end of the session, or past the absolute limit, or was to live beyond it. */
  wrong: number
  /** How many refreshes succeeded: a life in which nothing happens proves nothing. */
  successes: number
}
