import type { FastifyBaseLogger } from 'fastify'
import type { Database } from '../database/database.ts'
import type { Events } from '../events/events.ts'
import type { SessionTelemetry } from './events.ts'
import type { KnownUsers } from '../users/known-users.ts'
import { createBirths, type Births } from './births.ts'
import { createConfirmations } from './confirmations.ts'
import { createEndings, type Endings } from './endings.ts'
import { createSessionFinder } from './find-session.ts'
import { createFloor } from './floor.ts'
import type { Follower } from './followers.ts'
import { createListeners } from './listeners.ts'
import { createLogouts, type Logouts } from './logout.ts'
import type { Hooks, SessionSettings } from './options.ts'
import { createReauthentication, type Reauthentication } from './reauthentication.ts'
import { createRefreshes, type Refreshes } from './refresh.ts'
import { createRestore } from './restore.ts'
import { openRevocationLog, type RevocationLog } from './revocation-log.ts'
import { createRevocations, type Ending, type Revocations } from './revocations.ts'
import { createShownTokens, type ShownTokens } from './shown.ts'
import { createSignals, type Signals } from './signals.ts'
import { createStoredSessions, type StoredSessions } from './stored.ts'
import { createEndReused, type TellOfTheft } from './theft.ts'

/** All that is done with sessions: they begin, go on, are used, and end. */
export interface Sessions extends Births, Refreshes, ShownTokens, Logouts, Reauthentication, StoredSessions {
  endings: Endings
  revocations: Revocations
  revocationLog: RevocationLog
  signals: Signals
  /** Others who go by the log of revocations. A feature adds its own when it is opened. */
  followers: Follower[]
  /** Writes what is still only in memory, if it can, and follows the log no longer. */
  close: () => Promise<void>
}

/** What sessions are made of. */
export interface SessionParts {
  database: Database
  knownUsers: KnownUsers
  events: Events
  telemetry: SessionTelemetry
  hooks: Hooks
  log: FastifyBaseLogger
  /** Undefined where users are not told. */
  tellOfTheft: TellOfTheft | undefined
}

/**
 * Opens the sessions: reads the log of revocations, and follows it from then on.
 * @throws {Unavailable}
 */
export async function openSessions (parts: SessionParts, settings: SessionSettings): Promise<Sessions> {
  const { database, knownUsers, events, telemetry, log } = parts
  const revocations = createRevocations(settings, knownUsers.forget, await database.clock?.())
  const listeners = createListeners()
  const followers: Follower[] = []
  const revocationLog = await openRevocationLog({
    database,
    telemetry,
    events,
    apply: (ending: Ending) => [revocations, ...followers, listeners].forEach((taker) => taker.apply(ending)),
    reset () {
      knownUsers.forgetAll()
      for (const follower of followers) follower.reset()
      listeners.judgeAll()
    },
    restore: () => restore(),
  }, settings, log)
  const restore = createRestore({ database, revocations, revocationLog, followers, log })
  const signals = createSignals({ listeners, revocations, knownUsers, revocationLog }, settings)

  const finder = createSessionFinder(database)
  const raiseFloor = createFloor(database, finder)
  const endings = createEndings(database, revocationLog, raiseFloor, settings)
  const endReused = createEndReused({ ...parts, endings })
  const confirmations = createConfirmations({ ...parts, endReused }, settings)
  const known = { ...parts, find: finder.find, revocations, revocationLog, endings, confirmations }

  return {
    ...createBirths(database, endings, settings),
    ...createRefreshes({ ...known, endReused }, settings),
    ...createShownTokens(known),
    ...createLogouts(known),
    ...createReauthentication({ ...known, raiseFloor }),
    ...createStoredSessions(database, finder, settings),
    endings,
    revocations,
    revocationLog,
    signals,
    followers,
    async close () {
      await confirmations.flushAll().catch((error) => {
        log.warn(error, 'What was noted of sessions is lost: the database is away')
      })
      await signals.close()
      await revocationLog.close()
    },
  }
}
