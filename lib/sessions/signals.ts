import type { EventEmitter } from 'node:events'
import { Unavailable } from '../http/errors.ts'
import { TokenRevoked } from './errors.ts'
import { TokenExpired } from '../tokens/errors.ts'
import { isExpired } from '../tokens/tokens.ts'
import { mayComeIn, type KnownUser, type KnownUsers } from '../users/known-users.ts'
import type { Listener, Listeners } from './listeners.ts'
import type { SessionSettings } from './options.ts'
import type { RevocationLog } from './revocation-log.ts'
import { refusalOf, type Revocations } from './revocations.ts'

/** A raw response. It closes after its last byte or, where the connection was upgraded, with the connection. */
export type Response = Pick<EventEmitter, 'once' | 'off'> & { destroyed?: boolean, stream?: { destroyed: boolean } }

/** Signals that fire at the end of tokens, for as long as the responses to their requests go on. */
export interface Signals {
  /**
   * A signal that fires once, with the error that a guard would answer with from then on: at once where the token is
   * over by now, and never after the response has closed. `inWords` puts the error into the words of the app.
   */
  of: (admitted: Admitted, response: Response, inWords: (reason: Error) => Error) => AbortSignal
  /** Fires all that are left, since nobody would fire them later. */
  close: () => Promise<void>
}

type Admitted = Pick<Listener, 'claims' | 'isStateless' | 'expiryOf'>

export interface SignalParts {
  listeners: Listeners
  revocations: Revocations
  knownUsers: KnownUsers
  revocationLog: Pick<RevocationLog, 'stalenessMs' | 'catchUp'>
}

/**
 * How often the clock is looked at, for all tokens at once. A timer for each expiry would be late once the machine has
 * slept or its clock was set, and could not be set for more than 25 days.
 */
const lookEveryMs = 1000

export function createSignals (
  { listeners, revocations, knownUsers, revocationLog }: SignalParts, { leewaySeconds, revocation }: SessionSettings
): Signals {
  let looking: NodeJS.Timeout | undefined

  function look (): void {
    const left = listeners.all()
    if (left.length === 0) return stopLooking()

    for (const { claims, end } of left) if (isExpired(claims, leewaySeconds)) end(new TokenExpired())
    // While the log cannot be read guards let nobody in, and so nobody may stay.
    if (revocationLog.stalenessMs() < revocation.maxStalenessSeconds * 1000) return
    revocationLog.catchUp().catch(() => endAll(({ isStateless }) => !isStateless))
  }

  function stopLooking (): void {
    clearInterval(looking)
    looking = undefined
  }

  function endAll (which: (listener: Listener) => boolean): void {
    for (const listener of listeners.all()) if (which(listener)) listener.end(new Unavailable())
  }

  /** Asks the database only where this process does not know the user. */
  async function judge ({ claims, isStateless, expiryOf, end }: Listener): Promise<void> {
    if (isExpired(claims, leewaySeconds)) return end(new TokenExpired())
    const refusal = refusalOf(claims, revocations)
    if (refusal) return end(refusal)
    if (isStateless) return
    if (expiryOf) return expiryOf().then((exp) => { claims.exp = exp }, end)

    const judgeUser = (user: KnownUser | null) => { if (!mayComeIn(user, claims)) end(new TokenRevoked()) }
    const known = knownUsers.remembered(claims.sub)
    if (known !== undefined) return judgeUser(known)
    await knownUsers.get(claims.sub).then(judgeUser, end)
  }

  return {
    of ({ claims, isStateless, expiryOf }, response, inWords) {
      const controller = new AbortController()
      const stop = () => {
        response.off('close', stop)
        return listeners.remove(listener)
      }
      const listener: Listener = {
        claims,
        isStateless,
        expiryOf,
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
