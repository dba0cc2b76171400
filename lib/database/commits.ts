import type { EntityManager, EventSubscriber } from '@mikro-orm/core'

/** What waits for the end of transactions that others have begun. */
export interface Commits {
  /**
   * Calls `act` when the transaction of `em`, and each that it is a part of, is committed. Not when it, or a savepoint
   * around it, is rolled back.
   */
  after: (em: EntityManager, act: () => void) => void
}

interface Waiting {
  /** The transaction that it was asked in, and those around that. */
  within: object[]
  act: () => void
}

/**
 * Listens to the transactions of these entity managers, and of all that are forked from them: a transaction takes its
 * listeners along when it begins. MikroORM tells of the end of a savepoint as it does of a whole transaction, but MySQL
 * and MariaDB do not tell of one that is kept. So what waits belongs to the outermost, and a savepoint only takes away.
 */
export function createCommits (managers: EntityManager[]): Commits {
  const beginning = new WeakMap<EntityManager, object | undefined>()
  const outer = new WeakMap<object, object>()
  const waiting = new WeakMap<object, Waiting[]>()

  function withAllAround (transaction: object): object[] {
    const around = outer.get(transaction)
    return [transaction, ...around ? withAllAround(around) : []]
  }

  const subscriber: EventSubscriber = {
    beforeTransactionStart: ({ em, transaction }) => { beginning.set(em, transaction as object | undefined) },
    afterTransactionStart ({ em, transaction }) {
      const around = beginning.get(em)
      if (around) outer.set(transaction as object, around)
    },
    afterTransactionCommit ({ transaction }) {
      for (const { act } of waiting.get(transaction as object) ?? []) act()
    },
    afterTransactionRollback ({ transaction }) {
      const outermost = withAllAround(transaction as object).at(-1)!
      waiting.set(outermost, (waiting.get(outermost) ?? []).filter(({ within }) => !within.includes(transaction as object)))
    },
  }
  for (const em of managers) em.getEventManager().registerSubscriber(subscriber)

  return {
    after (em, act) {
      // One may have listeners of its own.
      em.getEventManager().registerSubscriber(subscriber)
      const within = withAllAround(em.getTransactionContext<object>()!)
      const outermost = within.at(-1)!
      waiting.set(outermost, [...waiting.get(outermost) ?? [], { within, act }])
    },
  }
}
