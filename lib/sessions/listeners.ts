import { TokenRevoked, TokenSuperseded } from './errors.ts'
import type { SharedClaims } from '../tokens/claims.ts'
import type { Ending } from './revocations.ts'

/** Somebody who wants to know when a token is over. */
export interface Listener {
  claims: SharedClaims
  /** True where a guard that believes tokens whatever was revoked has let them in: no database is asked for them. */
  isStateless: boolean
  /** Told once, with the error that a guard would answer with. */
  end: (reason: Error) => void
  /** Looks whether the token is over, after entries of the log may have been missed. Never throws. */
  judge: () => Promise<void>
}

/** Those who want to know when tokens are over. Holds nothing for tokens that nobody asks about. */
export interface Listeners {
  add: (listener: Listener) => void
  /** False for one who is not there any more. */
  remove: (listener: Listener) => boolean
  /** Tells everybody whom an entry of the log is about. */
  apply: (ending: Ending) => void
  /** All of them, as they are at this moment. */
  all: () => Listener[]
  /** Has all of them look anew, one after the other, so that a database that has just come back is not stormed. */
  judgeAll: () => Promise<void>
}

export function createListeners (): Listeners {
  const everybody = new Set<Listener>()
  /** By the id of their session, of their token and of their user: these are written in ways that never meet. */
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
      }
    },

    all: () => [...everybody],

    async judgeAll () {
      for (const listener of everybody) await listener.judge()
    },
  }
}

/**
 * What an entry of the log means for a token that it may be about. One of a user with an epoch may tell of no more than a
 * new name or role, and one of a session with a floor voids none but the tokens before it.
 */
function reasonOf ({ ver, gen }: SharedClaims, { kind, epoch }: Ending): Error | undefined {
  if (epoch === null || (kind === 'user' && ver < epoch)) return new TokenRevoked()
  if (kind === 'session' && gen < epoch) return new TokenSuperseded()
}
