import type { EntityManager } from '@mikro-orm/core'
import { askForLeave } from '../host/ask.ts'
import { msLeft, withTimeout } from '../http/deadline.ts'
import type { Transactions } from './transactions.ts'

/**
 * Calls a function of the host's, if it has given one, in a transaction of ours: with its entity manager, and copies of
 * what it is told. What it throws ends the transaction: a 4xx is the answer, anything else a 500 without details.
 */
export type CallHost = <Told extends unknown[]>(
  tx: EntityManager, hook: ((em: EntityManager, ...told: Told) => unknown) | undefined, ...told: Told
) => Promise<void>

/**
 * Runs `work`, which stores something in a transaction of ours in which functions of the host's write too. A failure of
 * theirs stays what it is, whatever the database makes of it; and one that never ends does not keep a connection.
 * @throws what a function of the host's has thrown, as `askForLeave` says
 */
export async function withHost<Result> (
  { hostManagerIn = (tx) => tx }: Pick<Transactions, 'hostManagerIn'>,
  work: (callHost: CallHost) => Promise<Result>
): Promise<Result> {
  let failure: { error: unknown } | undefined
  const callHost: CallHost = async (tx, hook, ...told) => {
    if (!hook) return
    failure = undefined
    const em = hostManagerIn(tx)
    const calling = askForLeave(async () => {
      await hook(em, ...structuredClone(told))
      await em.flush()
    })
    await withTimeout(msLeft(), calling).catch((error) => {
      failure = { error }
      throw error
    })
  }
  return work(callHost).catch((error) => { throw failure ? failure.error : error })
}
