import type { EntityManager, EventSubscriber } from '@mikro-orm/core'

/** Calls back when transactions end that others have begun. */
export interface Commits {
  /**
   * Calls `act` when the transaction of `em`, and each that encloses it, is committed. Not when it, or a savepoint that
   * encloses it, is rolled back.
   */
  after: (em: EntityManager, act: () => void) => void
}

interface Waiting {
  /** The transaction that `after` was called in, and those that enclose it. */
  enclosing: object[]
  act: () => void
}

/**
 * Listens to the transactions of these entity managers, and of all that are forked from them: a transaction takes its
 * listeners along when it begins. MikroORM calls them for the end of a savepoint as for that of a whole transaction,
 * but on MySQL and MariaDB not for a savepoint that is released. So what waits is kept with the outermost transaction,
 * and a savepoint that is rolled back only takes its own away.
 */
export function createCommits (managers: EntityManager[]): Commits {
  const beginning = new WeakMap<EntityManager, object | undefined>()
  const parents = new WeakMap<object, object>()
  const waiting = new WeakMap<object, Waiting[]>()

  /** The transaction, and those that enclose it, the outermost last. */
  function enclosingOf (transaction: object): object[] {
    const parent = parents.get(transaction)
    return [transaction, ...parent ? enclosingOf(parent) : []]
  }

  const subscriber: EventSubscriber = {
    beforeTransactionStart: ({ em, transaction }) => { beginning.set(em, transaction as object | undefined) },
    afterTransactionStart ({ em, transaction }) {
      const parent = beginning.get(em)
      if (parent) parents.set(transaction as object, parent)
    },
    afterTransactionCommit ({ transaction }) {
      for (const { act } of waiting.get(transaction as object) ?? []) act()
    },
    afterTransactionRollback ({ transaction }) {
      const outermost = enclosingOf(transaction as object).at(-1)!
      const left = (waiting.get(outermost) ?? []).filter(({ enclosing }) => !enclosing.includes(transaction as object))
      waiting.set(outermost, left)
    },
  }
  for (const em of managers) em.getEventManager().registerSubscriber(subscriber)

  return {
    after (em, act) {
      // A fork may have an event manager of its own.
      em.getEventManager().registerSubscriber(subscriber)
      const enclosing = enclosingOf(em.getTransactionContext<object>()!)
      const outermost = enclosing.at(-1)!
      waiting.set(outermost, [...waiting.get(outermost) ?? [], { enclosing, act }])
    },
  }
}
