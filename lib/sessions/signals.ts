import type { EventEmitter } from 'node:events'
import { Unavailable } from '../http/errors.ts'
import { TokenRevoked } from './errors.ts'
import { TokenExpired } from '../tokens/errors.ts'
import { isExpired } from '../tokens/claims.ts'
import { mayComeIn, type KnownUser, type KnownUsers } from '../users/known-users.ts'
import type { Listener, Listeners } from './listeners.ts'
import type { SessionSettings } from './options.ts'
import type { RevocationLog } from './revocation-log.ts'
import { refusalOf, type Revocations } from './revocations.ts'

/** What is answered on a connection. It closes after the last byte or, where the connection was upgraded, with it. */
export type Response = Pick<EventEmitter, 'once' | 'off'> & { destroyed?: boolean, stream?: { destroyed: boolean } }

/** Signals that tell of the end of tokens, for as long as what they let in goes on. */
export interface Signals {
  /**
   * A signal that fires once, with the error that a guard would answer with from then on: at once where the token is over
   * by now, and never after the response has closed. `inWords` puts the error into the words of the app.
   */
  of: (admitted: Pick<Listener, 'claims' | 'isStateless'>, response: Response, inWords: (reason: Error) => Error) => AbortSignal
  /** Fires all that are left, since nobody would tell them any more. */
  close: () => Promise<void>
}

/** What signals are told by. */
export interface SignalParts {
  listeners: Listeners
  revocations: Revocations
  knownUsers: KnownUsers
  revocationLog: Pick<RevocationLog, 'stalenessMs' | 'catchUp'>
}

/**
 * A timer that is set for an expiry is late once the machine has slept or its clock has stepped, and takes no more than
 * 25 days: so the clock is looked at again and again, for all at once.
 */
const lookEveryMs = 1000

export function createSignals ({ listeners, revocations, knownUsers, revocationLog }: SignalParts, { leewaySeconds, revocation }: SessionSettings): Signals {
  let looking: NodeJS.Timeout | undefined

  function look (): void {
    const left = listeners.all()
    if (left.length === 0) return stopLooking()

    for (const { claims, end } of left) if (isExpired(claims, leewaySeconds)) end(new TokenExpired())
    // Guards let nobody in where nobody knows who is gone, and so nobody may stay.
    if (revocationLog.stalenessMs() >= revocation.maxStalenessSeconds * 1000) revocationLog.catchUp().catch(() => endAll(({ isStateless }) => !isStateless))
  }

  function stopLooking (): void {
    clearInterval(looking)
    looking = undefined
  }

  function endAll (which: (listener: Listener) => boolean): void {
    for (const listener of listeners.all()) if (which(listener)) listener.end(new Unavailable())
  }

  /** Asks the database only where this process does not know the user. */
  async function judge ({ claims, isStateless, end }: Listener): Promise<void> {
    if (isExpired(claims, leewaySeconds)) return end(new TokenExpired())
    const refusal = refusalOf(claims, revocations)
    if (refusal) return end(refusal)
    if (isStateless) return

    const judgeUser = (user: KnownUser | null) => { if (!mayComeIn(user, claims)) end(new TokenRevoked()) }
    const known = knownUsers.remembered(claims.sub)
    if (known !== undefined) return judgeUser(known)
    await knownUsers.get(claims.sub).then(judgeUser, end)
  }

  return {
    of ({ claims, isStateless }, response, inWords) {
      const controller = new AbortController()
      const stop = () => {
        response.off('close', stop)
        return listeners.remove(listener)
      }
      const listener: Listener = {
        claims,
        isStateless,
        end (reason) { if (stop()) controller.abort(inWords(reason)) },
        judge: () => judge(listener),
      }
      if (response.destroyed ?? response.stream?.destroyed) return controller.signal

      listeners.add(listener)
      response.once('close', stop)
      looking ??= setInterval(look, lookEveryMs).unref()
      listener.judge()
      return controller.signal
    },

    async close () {
      endAll(() => true)
      stopLooking()
    },
  }
}
