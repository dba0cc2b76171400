import { LRUCache } from 'lru-cache'
import type { User } from './entity.ts'
import type { FactorNeeds, FactorNeedsOf } from './factor-needs.ts'
import { frozen } from '../checks/frozen.ts'
import type { Telemetry } from '../events/events.ts'
import type { UserCounters } from './events.ts'
import type { LookUp } from './look-up.ts'
import type { UserSettings } from './options.ts'
import type { PublicFields } from './public-user.ts'

/** What guards need of a user. It is frozen, since many requests share it. */
export type KnownUser = PublicFields & Pick<User, 'epoch' | 'disabledAt'> & FactorNeeds

export interface KnownUsers {
  /** A user as the database has them, from memory where that is up to date; null for one who is not there. */
  get: (id: string) => Promise<KnownUser | null>
  /** A user from memory, without waiting, as most guarded requests do; undefined where the database has to be asked. */
  remembered: (id: string) => KnownUser | null | undefined
  /** Called when a user has changed: whoever asks from then on reads the row again. */
  forget: (id: string) => void
  /** Called when any user may have changed: each row is read again. */
  forgetAll: () => void
}

/** True for a user who is there and not disabled, and has not been signed out everywhere since the token was made. */
export function mayComeIn (user: KnownUser | null, { ver }: { ver: number }): user is KnownUser {
  return user !== null && !user.disabledAt && ver >= user.epoch
}

/** The most users that are remembered, and the most characters of them: 32 MiB if they are Latin. */
const most = { users: 50_000, characters: 2 ** 25 }

/**
 * Remembers users between requests. The log of revocations has an entry for each change that is made through the
 * plugin. What others write is seen after the life of an access token at the latest, which is shorter than that of an
 * entry.
 */
export function createKnownUsers (
  { byId }: Pick<LookUp, 'byId'>, needsOf: FactorNeedsOf, { access }: UserSettings,
  { counters }: Telemetry<UserCounters>
): KnownUsers {
  const knownForMs = access.expiresInSeconds * 1000
  const known = new LRUCache<string, { user: KnownUser | null, readAt: number }>({
    max: most.users, maxSize: most.characters,
  })
  const reading = new Map<string, Promise<KnownUser | null>>()

  async function read (id: string): Promise<KnownUser | null> {
    const found = await byId(id)
    if (!found) return null
    const { username, email, emailVerifiedAt, roles, profile, epoch, disabledAt } = found
    return frozen({ id, username, email, emailVerifiedAt, roles, profile, epoch, disabledAt, ...needsOf(found) })
  }

  /** Those who ask at once share one read. If the user is forgotten while it runs, its result is not used. */
  function load (id: string): Promise<KnownUser | null> {
    counters.usersRead++
    const readAt = performance.now()
    const isLatest = () => reading.get(id) === loading
    const loading = read(id).then((user) => {
      if (!isLatest()) return get(id)
      known.set(id, { user, readAt }, { size: 512 + JSON.stringify(user).length })
      return user
    }).finally(() => { if (isLatest()) reading.delete(id) })

    reading.set(id, loading)
    return loading
  }

  function remembered (id: string): KnownUser | null | undefined {
    // Not `get`: to read a user again who was evicted while in use is cheaper than to keep the order of all.
    const entry = known.peek(id)
    if (!entry || performance.now() - entry.readAt >= knownForMs) return
    counters.usersRemembered++
    return entry.user
  }

  async function get (id: string): Promise<KnownUser | null> {
    const user = remembered(id)
    return user === undefined ? reading.get(id) ?? load(id) : user
  }

  return {
    remembered,
    get,
    forget (id) {
      known.delete(id)
      reading.delete(id)
    },
    forgetAll () {
      known.clear()
      reading.clear()
    },
  }
}
