import { isReadOnly } from './patience.ts'

/**
 * Which connections of a pool are fit for use. After a failover those that were open before lead to a server that has
 * become read-only, and each use would keep them alive.
 */
export interface Fitness {
  /** Notes the error of a statement on a connection. */
  note: (connection: object, error: unknown) => void
  isFit: (connection: object) => boolean
}

/**
 * `onOpened` is to call its argument with each connection that opens. Any that was open before counts as the oldest.
 */
export function createFitness (onOpened: (note: (connection: object) => void) => void): Fitness {
  const openedAfter = new WeakMap<object, number>()
  let failovers = 0

  const isFit = (connection: object) => (openedAfter.get(connection) ?? 0) === failovers

  onOpened((connection) => { openedAfter.set(connection, failovers) })
  return {
    isFit,
    // Counted by the first connection that fails: all others that were open before the same failover are unfit by then.
    note (connection, error) { if (isReadOnly(error) && isFit(connection)) failovers++ },
  }
}
