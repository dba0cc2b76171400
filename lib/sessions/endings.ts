import { LockMode, raw, type EntityManager } from '@mikro-orm/core'
import type { Database } from '../database/database.ts'
import { selectFrom } from '../database/statement.ts'
import { RevokedToken } from './revoked-token.ts'
import { Session } from './entity.ts'
import { User } from '../users/entity.ts'
import type { Lent } from '../users/lending.ts'
import type { Client } from '../http/request.ts'
import type { ReuseDetails } from './events.ts'
import { actorOf, isId, type AccessClaims } from '../tokens/claims.ts'
import type { TokenSettings } from '../tokens/options.ts'
import type { Proof, RaiseFloor } from './floor.ts'
import type { RevocationLog, Write } from './revocation-log.ts'

/** Why a session is over, as its row has it. */
export type EndReason =
  'logout' | 'reuse' | 'ended' | 'everywhere' | 'password' | 'disabled' | 'closing' | 'limit' | 'replaced' |
  'restore' | 'address' | 'reset-due' | 'factors' | 'borrower'

/** Who ends something, for whom, and in whose transaction. */
export interface Ender {
  userId?: string
  client?: Client | undefined
  em?: EntityManager | undefined
  /** Who has borrowed the session, where they end it. */
  actor?: string | undefined
  /** What is known of both sides of a theft. */
  reuse?: ReuseDetails
  /** More to write in the same transaction. */
  within?: (tx: EntityManager) => Promise<void>
}

/**
 * Ends what else lets somebody in than sessions, and was made since a moment, in a transaction that has locked the
 * user. Gives the ids that are over.
 */
export type EndAlso = (tx: EntityManager, userId: string, since: Date) => Promise<string[]>

/** The ways in which sessions and tokens end. Each is one short transaction, with its entry in the log. */
export interface Endings {
  /** Ends a session; if a user is named, only one of theirs. False when there is none that goes on. */
  end: (sessionId: string, reason: 'logout' | 'ended' | 'reuse' | 'replaced', ender?: Ender) => Promise<boolean>
  /** Makes the tokens of a session void whose row is gone: a backup was put back, or the session was pruned. */
  endWithoutRow: (sessionId: string, ender?: Ender) => Promise<void>
  /** Ends all sessions of a user. False when there is no such user. */
  endAll: (userId: string, ender?: Omit<Ender, 'userId'>) => Promise<boolean>
  /**
   * Ends all sessions of a user but one, each by an entry of its own and not by the user's epoch, so that the access
   * tokens of that one stay good. False when there is no such user.
   */
  keepOnly: (userId: string, sessionId: string, ender?: Omit<Ender, 'userId'>) => Promise<boolean>
  /** In a transaction of the log: ends these sessions, which go on. */
  endThese: (tx: EntityManager, write: Write, sessionIds: string[], reason: EndReason) => Promise<void>
  /**
   * In a transaction of the log: raises the user's epoch, and ends all sessions but the one of the proof, which goes on
   * at the new epoch with tokens of a new generation. Each session has an entry beside the user's: if the database
   * loses this commit later, the epoch may be reached once more, and must not make a token good again. What the user
   * has borrowed of others is over too. Locks the user,
   * then sessions, then the log, as every transaction does, against deadlocks. False when there is no such user.
   * API keys that were made since a moment end too: of who is disabled or closing all, else none unless `keysSince`
   * says it.
   * @throws {TokenRevoked | TokenSuperseded} when the session that is to go on is over, or its token void
   */
  endOthers: (
    tx: EntityManager, write: Write, userId: string, reason: EndReason, proof?: Proof, keysSince?: Date
  ) => Promise<boolean>
  /** What else ends. A feature adds its own when it is opened. */
  also: EndAlso[]
  /**
   * In a transaction, which may be the host's: locks a user, as a login does, and gives the ids of the sessions that
   * nobody has ended, but for one that is to go on. Undefined when there is no such user.
   */
  lockLiving: (tx: EntityManager, userId: string, isHosts: boolean, keptId?: string) => Promise<string[] | undefined>
  /**
   * In a transaction that has locked the user: marks these borrowed sessions as over, and gives their ids, to be
   * written to the log once every row is changed. None where no session is lent.
   */
  markBorrowed: (tx: EntityManager, which: Lent[], userId: string) => Promise<string[]>
  /** Ends one access token, and nothing else of its session. */
  revokeToken: (claims: AccessClaims, client?: Client) => Promise<void>
  /** True for an access token that was revoked by itself, as the database has it. */
  isTokenRevoked: (claims: Pick<AccessClaims, 'jti'>) => Promise<boolean>
}

/** Reasons that end all API keys too. */
const endingKeys: EndReason[] = ['disabled', 'closing']

export function createEndings (
  database: Database, log: RevocationLog, raiseFloor: RaiseFloor,
  { lendsSessions }: Pick<TokenSettings, 'lendsSessions'>
): Endings {
  const also: EndAlso[] = []
  const tokenEntry = database.statement(({ query }) =>
    query(RevokedToken).select('id').where({ kind: 'kind', subject: 'jti' }).limit(1))
  const epochOf = database.statement(({ query }) => query(User).select('epoch').where({ id: 'userId' }))

  async function endOthers (
    tx: EntityManager, write: Write, userId: string, reason: EndReason, proof?: Proof,
    keysSince = endingKeys.includes(reason) ? new Date(0) : undefined
  ): Promise<boolean> {
    const raised = await tx.nativeUpdate(User, { id: userId }, { epoch: raw<number>('epoch + 1') })
    if (raised === 0) return false
    const [{ epoch }] = await epochOf.all<Pick<User, 'epoch'>>(tx, { userId }) as [Pick<User, 'epoch'>]
    const ended = await otherSessions(tx, userId, proof?.sessionId)
    await markEnded(tx, ended, reason)
    const borrowed = await markBorrowed(tx, ['by'], userId)
    if (proof) await tx.nativeUpdate(Session, { id: proof.sessionId, revokedAt: null }, { ver: epoch })
    const goesOn = proof && await raiseFloor(tx, proof)
    const endedToo: string[] = []
    if (keysSince) for (const end of also) endedToo.push(...await end(tx, userId, keysSince))
    for (const id of [...ended, ...borrowed, ...endedToo]) await write('session', id)
    if (goesOn) await write('session', goesOn.id, goesOn.floorGen)
    await write('user', userId, epoch)
    return true
  }

  async function endThese (tx: EntityManager, write: Write, sessionIds: string[], reason: EndReason): Promise<void> {
    await markEnded(tx, sessionIds, reason)
    for (const id of sessionIds) await write('session', id)
  }

  async function lockLiving (
    tx: EntityManager, userId: string, isHosts: boolean, keptId?: string
  ): Promise<string[] | undefined> {
    if (await tx.nativeUpdate(User, { id: userId }, { epoch: raw<number>('epoch') }) === 0) return
    // To a transaction of the host's InnoDB may show the rows of when it began, unless it locks them.
    return otherSessions(tx, userId, keptId, isHosts ? LockMode.PESSIMISTIC_WRITE : LockMode.NONE)
  }

  async function markBorrowed (tx: EntityManager, which: Lent[], userId: string): Promise<string[]> {
    if (!lendsSessions || which.length === 0) return []
    const lent = { by: { actorId: userId }, of: { user: userId, actorId: { $ne: null } } }
    // Locked, since no epoch ends what this has not seen.
    const found = await selectFrom<Pick<Session, 'id'>>(tx, Session).select('id')
      .where({ $or: which.map((each) => lent[each]), revokedAt: null })
      .orderBy({ id: 'asc' }).setLockMode(LockMode.PESSIMISTIC_WRITE).execute('all')
    const ids = found.map(({ id }) => id)
    if (ids.length > 0) await markEnded(tx, ids, 'borrower')
    return ids
  }

  function isTokenRevoked ({ jti }: Pick<AccessClaims, 'jti'>): Promise<boolean> {
    return database.run(async (em) => (await tokenEntry.all(em, { kind: 'token', jti })).length > 0)
  }

  return {
    also,
    endThese,
    endOthers,
    lockLiving,
    markBorrowed,
    isTokenRevoked,

    async end (id, reason, { userId, client, actor, em, reuse, within } = {}) {
      if (!isId(id)) return false
      const goesOn = { id, revokedAt: null, ...userId === undefined ? {} : { user: userId } }
      return log.record(async (tx, write, note) => {
        const ended = await tx.nativeUpdate(Session, goesOn, { revokedAt: new Date(), revokeReason: reason })
        if (ended === 0) return false
        await write('session', id)
        const what = reason === 'reuse' ? { type: reason, data: reuse } : { type: 'logout', reason }
        await note({ ...what, userId, sessionId: id, client, actor })
        await within?.(tx)
        return true
      }, em)
    },

    async endWithoutRow (sessionId, { userId, client } = {}) {
      await log.record(async (_, write, note) => {
        await write('session', sessionId)
        await note({ type: 'logout', reason: 'logout', userId, sessionId, client })
      })
    },

    async endAll (userId, { client, em } = {}) {
      return isId(userId) && log.record(async (tx, write, note) => {
        if (!await endOthers(tx, write, userId, 'everywhere')) return false
        await note({ type: 'logout', reason: 'everywhere', userId, client })
        return true
      }, em)
    },

    async keepOnly (userId, sessionId, { client, em } = {}) {
      return isId(userId) && log.record(async (tx, write, note) => {
        const ended = await lockLiving(tx, userId, em !== undefined, sessionId)
        if (!ended) return false
        const borrowed = await markBorrowed(tx, ['by'], userId)
        await endThese(tx, write, ended, 'ended')
        for (const id of borrowed) await write('session', id)
        for (const id of ended) await note({ type: 'logout', reason: 'ended', userId, sessionId: id, client })
        return true
      }, em)
    },

    async revokeToken (claims, client) {
      const { jti, sub: userId, sid: sessionId } = claims
      if (await isTokenRevoked(claims)) return
      await log.record(async (_, write, note) => {
        await write('token', jti)
        await note({ type: 'token-revoked', userId, sessionId, client, actor: actorOf(claims, lendsSessions) })
      })
    },
  }
}

type Lock = LockMode.NONE | LockMode.PESSIMISTIC_WRITE

/** The ids of the sessions of a user, who is locked, that nobody has ended, but for one. */
async function otherSessions (
  tx: EntityManager, userId: string, keptId?: string, lockMode: Lock = LockMode.NONE
): Promise<string[]> {
  const where = { user: userId, revokedAt: null, ...isId(keptId) && { id: { $ne: keptId! } } }
  const found = await selectFrom<Pick<Session, 'id'>>(tx, Session)
    .select('id').where(where).orderBy({ id: 'asc' }).setLockMode(lockMode).execute('all')
  return found.map(({ id }) => id)
}

/** By primary keys: by another index InnoDB would lock that first, and often deadlock with who ends one of these. */
async function markEnded (tx: EntityManager, sessionIds: string[], reason: EndReason): Promise<void> {
  const ended = { revokedAt: new Date(), revokeReason: reason }
  await tx.nativeUpdate(Session, { id: { $in: sessionIds }, revokedAt: null }, ended)
}
