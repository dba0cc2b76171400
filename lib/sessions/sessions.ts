import { randomBytes } from 'node:crypto'
import type { EntityManager } from '@mikro-orm/core'
import type { FastifyBaseLogger } from 'fastify'
import { v7 as uuid } from 'uuid'
import type { Database } from '../database/database.ts'
import { inside } from '../database/transaction.ts'
import { Session } from './entity.ts'
import type { User } from '../users/entity.ts'
import { Unavailable } from '../http/errors.ts'
import { RefreshReused, SessionsFull, TokenRevoked, TokenSuperseded } from './errors.ts'
import { TokenExpired, TokenInvalid } from '../tokens/errors.ts'
import { storable, type Client } from '../http/request.ts'
import type { ReuseDetails, Telemetry } from '../events/telemetry.ts'
import type { AccessClaims } from '../tokens/access-token.ts'
import { isExpired, isId } from '../tokens/claims.ts'
import type { Parent, RefreshClaims } from '../tokens/refresh-token.ts'
import type { VerifiedToken } from '../tokens/tokens.ts'
import { mayComeIn, type KnownUser, type KnownUsers } from '../users/known-users.ts'
import { createConfirmations } from './confirmations.ts'
import type { Endings } from './endings.ts'
import type { SessionData } from './data.ts'
import { createSessionFinder, goingOn, lastUsedFirst, livingAt, type FindSession } from './find-session.ts'
import type { RaiseFloor } from './floor.ts'
import { createMoves, leastFloor } from './moves.ts'
import type { Hooks, SessionSettings } from './options.ts'
import { createRefreshReports, reuseOf } from './refresh-report.ts'
import { sessionReplaced } from './replaced.ts'
import type { Note, RevocationLog, Write } from './revocation-log.ts'
import { refusalOf, type Revocations } from './revocations.ts'
import { decide, isGenuine, isOver, isVoid, type Judgement, type Verdict } from './rotation.ts'

/** A session's transport as its row has it: cookies that a browser keeps, or forgets with its window. */
export type SessionTransport = 'body' | 'cookie' | 'session-cookie'

/** Where a session begins. */
export interface Beginning extends Client {
  transport: SessionTransport
  /** When the password was checked. Default now. */
  authTime?: Date | undefined
  /** What the app keeps of it. Default nothing. */
  data?: SessionData | null
}

/**
 * Makes the answer for a session as it will be, before that is stored: what it throws leaves all as it was. `parent` is the
 * token that the new refresh token descends from; undefined where the one that was shown stays the client's.
 */
export type Issue<Answer> = (session: Session, parent?: Parent) => Answer

/** A proof of who one is, by the access token of a session. */
export type Proving = Pick<AccessClaims, 'sid' | 'gen'>

export interface Sessions {
  find: FindSession
  /** A new session, which is not stored yet. `ver` is the user's epoch before the password was checked. */
  begin: (user: User, ver: number, beginning: Beginning) => Session
  /** Stores a new session, whose user is there. */
  store: (tx: EntityManager, session: Session) => Promise<void>
  /**
   * In a transaction of the log that has locked the user: makes sure that one more session, of this client, is not too many.
   * @throws {SessionsFull} when it is, and none may end for it
   */
  makeRoom: (tx: EntityManager, write: Write, note: Note, user: User, client: Client) => Promise<void>
  /**
   * Moves the session on, or finds that it need not move, and gives the answer. `prepare` looks at the session before it
   * moves: what it throws, or what it gives throws, leaves the token unspent.
   * @throws {TokenExpired | TokenRevoked | TokenInvalid | TokenSuperseded | RefreshReused} a 401; `RefreshReused` has ended the session
   * @throws {Unavailable} after 8 lost races
   */
  refresh: <Answer>(claims: RefreshClaims, prepare: (session: Session) => Promise<Issue<Answer>>, client: Client) => Promise<Answer>
  /** True if there is such a session, over or not. */
  isThere: (id: string) => Promise<boolean>
  /** Judges a refresh token as `refresh` does, with the same errors, and moves nothing. */
  inspect: (claims: RefreshClaims, client?: Client) => Promise<Session>
  /** The same, and ends nothing either: for those who only ask. */
  peek: (claims: RefreshClaims) => Promise<Session>
  /**
   * The user of an access token, from memory if this process knows enough; its generation is noted to have arrived.
   * @throws {TokenRevoked} when the token or the session is over, or the user gone, disabled or logged out everywhere
   * @throws {TokenSuperseded} when the session goes on with newer tokens
   * @throws {Unavailable} when memory is too old to tell and the database cannot
   */
  use: (claims: AccessClaims) => Promise<KnownUser>
  /**
   * Refuses an access token that is over, by itself or with its session or all of its user's, and looks no user up.
   * @throws {TokenRevoked | TokenSuperseded}
   */
  requireUnrevoked: (claims: AccessClaims) => Promise<void>
  /** The same, from the session's row as it is now. */
  useStrictly: (claims: AccessClaims) => Promise<User>
  /**
   * Ends the session of a token for good, all its tokens with it, and gives it. Nothing happens to one that is over; where
   * its row is gone, its tokens are made void all the same.
   * @throws {TokenInvalid | TokenRevoked} for a refresh token that the session never gave out, or an access token that was revoked
   */
  logout: (token: VerifiedToken, client?: Client) => Promise<Session | undefined>
  /** Ends the session of a token, whose browser has begun another one. Nothing happens to one that is over. */
  replace: (token: VerifiedToken, client: Client) => Promise<void>
  /**
   * Notes that the password was checked again: the session goes on, with all its earlier tokens void. Gives the answer.
   * What `prepare` throws, or what it gives throws, leaves the session as it was.
   * @throws {TokenRevoked | TokenSuperseded} when it does not go on, or not with this token
   */
  reauthenticate: <Answer>(shown: Proving, prepare: (session: Session) => Promise<Issue<Answer>>, client: Client) => Promise<Answer>
  /** What the app keeps of a session. Where apps keep nothing nobody is asked. */
  dataOf: (id: string) => Promise<SessionData | null>
  /** Changes that. False where there is no such session that goes on. */
  setData: (id: string, data: SessionData | null, em?: EntityManager) => Promise<boolean>
  /** The sessions of a user that go on, the one used last first. */
  list: (userId: string, em?: EntityManager) => Promise<Session[]>
  /** Writes what is still only in memory, if it can. */
  close: () => Promise<void>
}

const mostTries = 8

/** A way in which a session moves on, and what of it changes. */
interface Step {
  how: keyof ReturnType<typeof createMoves>
  change: Partial<Session>
}

/** As many as one user may ever have had: a limit that was lowered is kept at the next login. */
const mostEnded = 1000

/** What sessions are made of. */
export interface SessionParts {
  database: Database
  revocations: Revocations
  revocationLog: RevocationLog
  knownUsers: KnownUsers
  endings: Endings
  raiseFloor: RaiseFloor
  telemetry: Telemetry
  hooks: Hooks
}

export function createSessions (
  { database, revocations, revocationLog, knownUsers, endings, raiseFloor, telemetry, hooks }: SessionParts,
  { refresh: policy, sessions: limit, leewaySeconds }: SessionSettings, log: FastifyBaseLogger
): Sessions {
  const confirmations = createConfirmations(database, telemetry, log, (session, gen) =>
    endReused(session, session.user, { gen, br: null, issuedAt: null }))
  const reportOf = createRefreshReports(telemetry)
  const { find, findAll } = createSessionFinder(database)
  const moves = createMoves(database, policy)
  const insert = database.statement(({ query, all }) => query(Session).insert(all(Session)))
  const beyond = database.statement(({ query }) => query(Session).select('id').where({ ...goingOn('user', 'now'), ver: { $gte: 'epoch' } })
    .orderBy(lastUsedFirst).offset(limit.max - 1).limit(mostEnded))
  const confirms = policy.replay === 'until-confirmed'
  /** Tokens that were shown in this process, by their claims, which are the same object as long as they are remembered. */
  const shown = new WeakSet<AccessClaims>()

  /** One compare-and-swap, by itself: no transaction, no lock. False where somebody else was first. */
  async function move (session: Session, { how, change }: Step): Promise<boolean> {
    const { id, gen: wasGen, prevGen: wasPrevGen, answeredAt: wasAnsweredAt } = session
    return await database.run((em) => moves[how].run(em, { ...change, id, wasGen, wasPrevGen, wasAnsweredAt })) === 1
  }

  function nextLife (session: Session, now: Date, client: Client) {
    const idle = now.getTime() + policy.expiresInSeconds * 1000
    return {
      gen: session.gen + 1,
      answeredAt: now,
      lastUsedAt: now,
      refreshExpiresAt: new Date(Math.min(idle, session.absoluteExpiresAt.getTime())),
      ...storable(client),
    }
  }

  /** The row as it was when it gave this token out, as far as the token tells. */
  function adoption (session: Session, { gen, pa, iat, exp }: RefreshClaims): Step {
    const adopted = { gen, prevGen: pa?.gen ?? null, prevBranch: pa?.br ?? null, answeredAt: new Date(iat * 1000), refreshExpiresAt: new Date(exp * 1000) }
    const floorGen = pa ? leastFloor(session.gen, gen) : gen
    return floorGen === undefined ? { how: 'adopt', change: adopted } : { how: 'adoptFloor', change: { ...adopted, floorGen } }
  }

  /** How the session moves on for a token that may be answered. Undefined where it stays as it is. */
  function stepFor (claims: RefreshClaims, session: Session, verdict: Verdict, cameAt: Date, client: Client): Step | undefined {
    const { gen, confirmedGen, answeredAt } = session
    const now = new Date()
    switch (verdict) {
      case 'ADOPT': return adoption(session, claims)
      case 'SKIP': return { how: 'skip', change: nextLife(session, now, client) }
      case 'ROTATE': {
        const spent = { prevGen: gen, prevBranch: claims.br, confirmedGen: gen }
        return { how: 'rotate', change: { ...nextLife(session, now, client), ...spent } }
      }
    }
    // SAME. As long as nobody has shown the current token, whoever is given it has the whole window to get it: it counts
    // from when the last one of them came.
    const isSettled = claims.gen === gen || (confirms && confirmedGen >= gen) || answeredAt >= cameAt
    return isSettled ? undefined : { how: 'repeat', change: { answeredAt: cameAt } }
  }

  /** Reads the row and judges the token by it. */
  async function judge (claims: RefreshClaims): Promise<Judgement<Session>> {
    const session = await database.run((em) => find(em, claims.sid))
    return { session, verdict: decide(session, claims, new Date(), policy, revocations.floorOf(claims.sid)) }
  }

  /**
   * Reads the row and judges the token by it, and ends the session where the token is used again: it has been stolen, on one
   * side or the other.
   */
  async function judgeAndEnd (claims: RefreshClaims, client?: Client): Promise<Judgement<Session>> {
    const judgement = await judge(claims)
    const { session, verdict } = judgement
    if (verdict !== 'REUSE') return judgement
    const { gen, br, iat } = claims
    await endReused(session!, claims.sub, { gen, br, issuedAt: iat * 1000 }, client)
    return judgement
  }

  /**
   * One try: the answer, or nothing, and then the next try judges the row as it is by now. The answer is made first, so
   * that nothing is spent for one that cannot be.
   */
  async function tryOnce<Answer> (
    claims: RefreshClaims, session: Session, step: Step | undefined, issue: Issue<Answer>
  ): Promise<{ answer: Answer } | undefined> {
    const next = { ...session, ...step?.change }
    const answer = issue(next, claims.gen === next.gen ? undefined : { gen: claims.gen, br: claims.br })
    if (step && !await move(session, step)) return
    if (!step) confirm(session, claims.gen)
    return { answer }
  }

  function confirm (session: Session, gen: number): Session {
    const tells = session.confirmedGen < gen && gen === session.gen
    if (confirms && (tells || isVoid(session, gen))) confirmations.note(session.id, gen)
    return session
  }

  function requireGood (claims: AccessClaims): void {
    const refusal = refusalOf(claims, revocations)
    if (refusal) throw refusal
  }

  async function living (id: string): Promise<Session> {
    const session = await database.run((em) => find(em, id))
    if (!session || isOver(session, new Date())) throw new TokenRevoked()
    return session
  }

  async function endReused (
    session: Omit<Session, 'user'>, userId: string, shown: ReuseDetails['shown'], client?: Client
  ): Promise<void> {
    const sessionId = session.id
    telemetry.counters.refreshesReused++
    log.warn({ sessionId }, 'A spent refresh token was used again: its session is over')
    const isEnded = await endings.end(sessionId, 'reuse', { userId, client, reuse: reuseOf(session, shown) })
    if (isEnded) hooks.tell('onReuse', { userId, sessionId })
  }

  return {
    find,

    begin (user, ver, { transport, authTime, data = null, ...client }) {
      const now = new Date()
      const absolute = new Date(now.getTime() + policy.maxAgeSeconds * 1000)

      return {
        id: uuid(),
        user: user as never,
        ver,
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
        refreshExpiresAt: new Date(now.getTime() + policy.expiresInSeconds * 1000),
        absoluteExpiresAt: absolute,
        transport,
        ...storable(client),
        data,
        revokedAt: null,
        revokeReason: null,
      }
    },

    async store (tx, session) {
      await insert.run(tx, { ...session, user: session.user.id, data: session.data && JSON.stringify(session.data) })
    },

    async makeRoom (tx, write, note, user, client) {
      const tooMany = await beyond.all<Pick<Session, 'id'>>(tx, { user: user.id, epoch: user.epoch, now: new Date() })
      if (tooMany.length === 0) return
      if (limit.whenFull === 'refuse') throw new SessionsFull()
      await endings.endThese(tx, write, tooMany.map(({ id }) => id), 'limit')
      for (const { id } of tooMany) await note({ type: 'logout', reason: 'limit', userId: user.id, sessionId: id, client })
    },

    async refresh (claims, prepare, client) {
      const cameAt = new Date()
      const report = reportOf(claims, client)
      try {
        if (isExpired(claims, leewaySeconds)) {
          report.expired()
          throw new TokenExpired()
        }
        await confirmations.flush(claims.sid)
        for (let tries = 0; tries < mostTries; tries++) {
          const judgement = await judgeAndEnd(claims, client)
          report.judged(judgement)
          const session = accepted(judgement)
          const issue = await prepare(session)
          const step = stepFor(claims, session, judgement.verdict, cameAt, client)
          if (judgement.verdict === 'ADOPT') {
            if (await move(session, step!)) telemetry.counters.refreshesAdopted++
            continue
          }
          const tried = await tryOnce(claims, session, step, issue)
          if (tried) {
            report.answered()
            return tried.answer
          }
          telemetry.counters.refreshesOvertaken++
        }
        throw new Unavailable()
      } finally {
        report.tell()
      }
    },

    isThere: (id) => database.run(async (em) => await em.count(Session, { id }, { connectionType: 'write' }) > 0),
    inspect: async (claims, client) => accepted(await judgeAndEnd(claims, client)),
    peek: async (claims) => accepted(await judge(claims)),

    async requireUnrevoked (claims) {
      if (!revocationLog.isFresh()) await revocationLog.catchUp()
      requireGood(claims)
    },

    async use (claims) {
      if (!revocationLog.isFresh()) await revocationLog.catchUp()
      requireGood(claims)
      let user = knownUsers.remembered(claims.sub)
      if (user === undefined) user = await knownUsers.get(claims.sub)
      // The database may have lost the commit that raised the epoch. What ended with it is known by itself, and was refused.
      if (user && claims.ver < user.epoch) {
        knownUsers.forget(claims.sub)
        user = await knownUsers.get(claims.sub)
      }
      // What was fresh when the user was asked for may be too old when the answer is there.
      if (!revocationLog.isFresh()) {
        await revocationLog.catchUp()
        user = await knownUsers.get(claims.sub)
      }
      requireGood(claims)
      if (!mayComeIn(user, claims)) throw new TokenRevoked()
      if (confirms && claims.gen > 0 && !shown.has(claims) && confirmations.note(claims.sid, claims.gen)) shown.add(claims)
      return user
    },

    async useStrictly (claims) {
      const session = await database.run((em) => find(em, claims.sid))
      // What the log has told of it stays true, though the database may have lost it since.
      requireGood(claims)
      if (!session || session.user.id !== claims.sub || isOver(session, new Date())) throw new TokenRevoked()
      if (claims.gen < session.floorGen) throw new TokenSuperseded()
      if (claims.ver < session.user.epoch || await endings.isTokenRevoked(claims)) throw new TokenRevoked()
      return confirm(session, claims.gen).user
    },

    async logout ({ kind, claims }, client) {
      const session = await database.run((em) => find(em, claims.sid))
      if (session && kind === 'refresh' && !isGenuine(session, claims)) throw new TokenInvalid()
      if (kind === 'access' && await endings.isTokenRevoked(claims)) throw new TokenRevoked()
      if (session) return await endings.end(session.id, 'logout', { userId: session.user.id, client }) ? session : undefined
      if (revocations.floorOf(claims.sid) < Infinity) await endings.endGone(claims.sid, { userId: claims.sub, client })
    },

    async replace ({ kind, claims }, client) {
      const session = await database.run((em) => find(em, claims.sid))
      const isShown = session && (kind === 'access' ? !await endings.isTokenRevoked(claims) : isGenuine(session, claims))
      if (isShown) await endings.end(session.id, 'replaced', { userId: session.user.id, client })
    },

    async reauthenticate ({ sid: sessionId, gen }, prepare, client) {
      const issue = await prepare(await living(sessionId))
      return revocationLog.record(async (tx, write, note) => {
        const raised = await raiseFloor(tx, { sessionId, gen, at: new Date(), client })
        await write('session', sessionId, raised.floorGen)
        await note({ type: 'reauthenticated', userId: raised.user.id, sessionId, client })
        return issue(raised)
      })
    },

    async dataOf (id) {
      const session = limit.data && await database.run((em) => find(em, id))
      return session?.data ?? null
    },

    async setData (id, data, em) {
      const now = new Date()
      if (!isId(id)) return false
      return await inside(database, em)((tx) => tx.nativeUpdate(Session, { id, ...livingAt(now) }, { data })) > 0
    },

    async list (userId, em) {
      if (!isId(userId)) return []
      const found = await inside(database, em)((tx) => findAll(tx, userId))
      return found.filter((session) => !isOver(session, new Date()))
    },

    close: () => confirmations.flushAll().catch((error) => log.warn(error, 'What was noted of sessions is lost: the database is away')),
  }
}

/**
 * The session of a token that may be answered.
 * @throws {TokenRevoked | TokenInvalid | TokenSuperseded | RefreshReused}
 */
function accepted ({ session, verdict }: Judgement<Session>): Session {
  if (verdict === 'DEAD') throw session?.revokeReason === 'replaced' ? sessionReplaced() : new TokenRevoked()
  if (verdict === 'FORGED') throw new TokenInvalid()
  if (verdict === 'OLD') throw new TokenSuperseded()
  if (verdict === 'REUSE') throw new RefreshReused()
  return session!
}
