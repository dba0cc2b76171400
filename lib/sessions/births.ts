import { randomBytes } from 'node:crypto'
import type { EntityManager } from '@mikro-orm/core'
import { v7 as uuid } from 'uuid'
import type { Database } from '../database/database.ts'
import { storable, type AnyRequest, type Client } from '../http/request.ts'
import type { User } from '../users/entity.ts'
import type { Level } from '../tokens/levels.ts'
import type { SessionData } from './data.ts'
import type { Endings } from './endings.ts'
import { Session } from './entity.ts'
import { SessionsFull } from './errors.ts'
import { goingOn, lastUsedFirst } from './find-session.ts'
import type { SessionSettings } from './options.ts'
import type { Note, Write } from './revocation-log.ts'

/** A session's transport as its row has it: cookies that a browser keeps, or forgets with its window. */
export type SessionTransport = 'body' | 'cookie' | 'session-cookie'

/** Where a session begins. */
export interface Beginning extends Client {
  transport: SessionTransport
  /** When it was proved who it is. Default now. */
  authTime?: Date | undefined
  /** What the app keeps of it. Default nothing. */
  data?: SessionData | null
  /** How it was proved who it is: authentication methods (RFC 8176). Default null: not known. */
  amr?: string[]
  /** How well. Default by one factor. */
  acr?: Level
  /** By whom it is borrowed, and for how long: it is over by then, and cannot be refreshed. */
  borrowed?: { actorId: string, seconds: number }
  /** The request that asks for it. Undefined where code does. */
  request?: AnyRequest
  /** Whether the browser has shown that its user had signed in there before. */
  isKnownDevice?: boolean
}

/** How sessions begin. */
export interface Births {
  /**
   * Where a user has signed in from, as far as their sessions are still kept; the last first, and no more than 500.
   * Those that are from nowhere, as code begins them without a request, are not among them, and none that an admin has
   * borrowed.
   */
  origins: (tx: EntityManager, userId: string) => Promise<Pick<Session, 'ip' | 'userAgent'>[]>
  /** A new session, which is not stored yet. `epoch` is the user's, as it was before the password was checked. */
  begin: (user: User, epoch: number, beginning: Beginning) => Session
  /** Stores a new session, whose user is there. */
  store: (tx: EntityManager, session: Session) => Promise<void>
  /**
   * In a transaction of the log that has locked the user: makes room for one more session, of this client. Borrowed
   * sessions take none.
   * @throws {SessionsFull} when there is none, and no session may end for it
   */
  makeRoom: (tx: EntityManager, write: Write, note: Note, user: User, client: Client) => Promise<void>
}

/** The highest limit that the option allows: so one that was lowered is kept from the next login on. */
const mostEnded = 1000

export function createBirths (
  database: Database, endings: Endings, { refresh, sessions: limit }: Pick<SessionSettings, 'refresh' | 'sessions'>
): Births {
  const insert = database.statement(({ query, all }) => query(Session).insert(all(Session)))
  const tooMany = database.statement(({ query }) => query(Session).select('id')
    .where({ ...goingOn('user', 'now'), actorId: null, ver: { $gte: 'epoch' } })
    .orderBy(lastUsedFirst).offset(limit.max - 1).limit(mostEnded))

  const originsOf = database.statement(({ query }) =>
    query(Session).select(['ip', 'userAgent'])
      .where({ user: 'userId', actorId: null, $or: [{ ip: { $ne: null } }, { userAgent: { $ne: null } }] })
      .orderBy({ id: 'desc' }).limit(500))

  return {
    async origins (tx, userId) {
      const rows = await originsOf.all<{ ip: string | null, user_agent: string | null }>(tx, { userId })
      return rows.map(({ ip, user_agent: userAgent }) => ({ ip, userAgent }))
    },

    begin (user, epoch, { transport, authTime, data = null, amr = null, acr = 'aal1', borrowed, ...client }) {
      const now = new Date()
      const after = (seconds: number) => new Date(now.getTime() + (borrowed?.seconds ?? seconds) * 1000)
      return {
        id: uuid(),
        user: user as never,
        ver: epoch,
        salt: randomBytes(32).toString('base64url'),
        gen: 0,
        prevGen: null,
        prevBranch: null,
        confirmedGen: 0,
        floorGen: 0,
        answeredAt: now,
        createdAt: now,
        authTime: authTime ?? now,
        lastUsedAt: now,
        ...expiring(after(refresh.expiresInSeconds)),
        absoluteExpiresAt: after(refresh.maxAgeSeconds),
        transport,
        ...storable(client),
        data,
        amr,
        acr,
        actorId: borrowed?.actorId ?? null,
        revokedAt: null,
        revokeReason: null,
      }
    },

    async store (tx, session) {
      const { user, data, amr } = session
      const json = { data: data && JSON.stringify(data), amr: amr && JSON.stringify(amr) }
      await insert.run(tx, { ...session, ...json, user: user.id })
    },

    async makeRoom (tx, write, note, user, client) {
      const found = await tooMany.all<Pick<Session, 'id'>>(tx, { user: user.id, epoch: user.epoch, now: new Date() })
      if (found.length === 0) return
      if (limit.whenFull === 'refuse') throw new SessionsFull()
      await endings.endThese(tx, write, found.map(({ id }) => id), 'limit')
      for (const { id: sessionId } of found) {
        await note({ type: 'logout', reason: 'limit', userId: user.id, sessionId, client })
      }
    },
  }
}

/** When a session expires that is not used again. */
export function expiring (refreshExpiresAt: Date) {
  return { refreshExpiresAt, expiresDay: dayOf(refreshExpiresAt.getTime()) }
}

/** Days since 1970, of ms since then. */
export function dayOf (ms: number): number {
  return Math.floor(ms / 86_400_000)
}
