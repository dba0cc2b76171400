import { TokenRevoked, TokenSuperseded } from './errors.ts'
import type { SharedClaims } from '../tokens/claims.ts'
import type { Ending } from './revocations.ts'

/** Somebody who wants to know when a token is over. */
export interface Listener {
  claims: SharedClaims
  /** True where a guard with the consistency `stateless` has let them in: no database is asked for them. */
  isStateless: boolean
  /** Asks about an API key again, whose entry says that it has changed, and gives its expiry. */
  expiryOf?: (() => Promise<number>) | undefined
  /** Called once, with the error that a guard would answer with. */
  end: (reason: Error) => void
  /** Finds out whether the token is over, since entries of the log may have been missed. Never throws. */
  judge: () => Promise<void>
}

/** Those who want to know when tokens are over. Nothing is kept for tokens that nobody asks about. */
export interface Listeners {
  add: (listener: Listener) => void
  /** False for one who is not there any more. */
  remove: (listener: Listener) => boolean
  /** Tells all listeners whose tokens an entry of the log ends. */
  apply: (ending: Ending) => void
  /** A copy of the list of all listeners. */
  all: () => Listener[]
  /** Judges all of them, one after the other, so that a database that has just come back is not flooded. */
  judgeAll: () => Promise<void>
}

export function createListeners (): Listeners {
  const everybody = new Set<Listener>()
  /** By the ids of their session, of their token and of their user. No `jti` has the form of the other two. */
  const bySubject = new Map<string, Set<Listener>>()
  const subjectsOf = ({ claims: { sid, jti, sub } }: Listener) => [sid, jti, sub]

  return {
    add (listener) {
      everybody.add(listener)
      for (const subject of subjectsOf(listener)) {
        const listening = bySubject.get(subject)
        if (listening) listening.add(listener)
        else bySubject.set(subject, new Set([listener]))
      }
    },

    remove (listener) {
      for (const subject of subjectsOf(listener)) {
        const listening = bySubject.get(subject)
        listening?.delete(listener)
        if (listening?.size === 0) bySubject.delete(subject)
      }
      return everybody.delete(listener)
    },

    apply (ending) {
      for (const listener of [...bySubject.get(ending.subject) ?? []]) {
        const reason = reasonOf(listener.claims, ending)
        if (reason) listener.end(reason)
        else if (listener.expiryOf && ending.kind === 'session') listener.judge()
      }
    },

    all: () => [...everybody],

    async judgeAll () {
      for (const listener of everybody) await listener.judge()
    },
  }
}

/**
 * What an entry of the log means for a token of its subject. That of a user is also written for no more than a new name
 * or role, and then the epoch is that of the token; that of a session with a floor voids only the tokens below it.
 */
function reasonOf ({ ver, gen }: SharedClaims, { kind, epoch }: Ending): Error | undefined {
  if (epoch === null || (kind === 'user' && ver < epoch)) return new TokenRevoked()
  if (kind === 'session' && gen < epoch) return new TokenSuperseded()
}
