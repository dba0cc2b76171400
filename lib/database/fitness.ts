import { isReadOnly } from './patience.ts'

/**
 * Which connections of a pool are fit for use. After a failover those that were open before lead to a server that only
 * reads by now, and each use would keep them alive.
 */
export interface Fitness {
  /** Notes what a connection has failed with. */
  note: (connection: object, error: unknown) => void
  isFit: (connection: object) => boolean
}

/** Of connections that are told when they open; those that were open before count as the oldest. */
export function createFitness (onOpened: (note: (connection: object) => void) => void): Fitness {
  const openedAfter = new WeakMap<object, number>()
  let failovers = 0

  const isFit = (connection: object) => (openedAfter.get(connection) ?? 0) === failovers

  onOpened((connection) => { openedAfter.set(connection, failovers) })
  return {
    isFit,
    // Only by one that was fit: all that were open before the same failover will fail, and make one of it.
    note (connection, error) { if (isReadOnly(error) && isFit(connection)) failovers++ },
  }
}
