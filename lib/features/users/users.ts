import type { EntityManager } from '@mikro-orm/core'
import { v7 as uuid } from 'uuid'
import type { Database } from '../../database/database.ts'
import { within } from '../../database/patience.ts'
import { inside } from '../../database/transaction.ts'
import { msLeft } from '../../http/deadline.ts'
import type { Session } from '../../sessions/entity.ts'
import { User } from '../../users/entity.ts'
import { CredentialsInvalid } from '../../sign-in/errors.ts'
import { NotFound } from '../../users/errors.ts'
import type { Events, Happening } from '../../events/events.ts'
import type { Client } from '../../http/request.ts'
import type { Hasher } from '../passwords/hasher.ts'
import type { Policy } from '../passwords/policy.ts'
import type { Endings } from '../../sessions/endings.ts'
import type { RevocationLog } from '../../sessions/revocation-log.ts'
import type { Beginning } from '../../sessions/births.ts'
import type { Proving } from '../../sessions/reauthentication.ts'
import type { Sessions } from '../../sessions/sessions.ts'
import { isAdmin } from './admins.ts'
import type { Credentials } from '../passwords/credentials.ts'
import type { OwnFields, Profile } from '../../users/fields.ts'
import { identifierKey, readEmail, readUsername } from '../../users/identifiers.ts'
import type { LookUp } from '../../users/look-up.ts'
import type { PublicFields } from '../../users/public-user.ts'
import type { Taken } from '../../users/taken.ts'
import type { UniqueFields } from '../../users/unique-fields.ts'

/** What somebody registers with. Which of the two names there are is the `identifiers` option's matter. */
export interface Registration {
  username?: string | undefined
  email?: string | undefined
  /** Without one nobody signs in with a password. */
  password?: string | undefined
  /** In place of a password: what another system, or this one elsewhere, has made of it. */
  passwordHash?: string | undefined
  roles?: string[] | undefined
  /** Of somebody who was a user elsewhere before. */
  past?: Past | undefined
}

/** What a user brings along from elsewhere. */
export interface Past {
  id?: string | undefined
  createdAt?: Date | undefined
  emailVerifiedAt?: Date | undefined
  disabledAt?: Date | undefined
}

/** A new password, and the session that asks for it. */
export interface PasswordChange {
  userId: string
  /** By the access token that was shown. */
  shown: Proving
  current: string
  next: string
  client: Client
  /** Aborted when whoever asks has gone. */
  gone?: AbortSignal | undefined
}

/** A user who is not stored yet. */
export type Draft = Omit<User, keyof PublicFields> & PublicFields

/** What the host adds to a transaction of ours. */
export type Join = (em: EntityManager) => Promise<void>

export interface Users {
  /**
   * Reads a registration, and hashes its password. The profile holds the fields of the app's own, checked.
   * @throws {InputInvalid | PasswordRejected} a 400 that names the rule
   * @throws {Busy}
   */
  draft: (registration: Registration, profile: Profile, gone?: AbortSignal) => Promise<Draft>
  /**
   * Adds a user and a first session, both or neither. `issue` makes the answer before anything is written, so that
   * nothing is when it cannot. `join` is given the open transaction: nothing is stored either if it fails.
   * @throws {UserExists} a 409, found by the database, so also in a race
   * @throws what `join` throws
   */
  register: <Answer>(draft: Draft, beginning: Beginning, issue: (session: Session) => Answer, join: Join) => Promise<Answer>
  /**
   * Adds a user alone. `told` is called once that is stored, a transaction of the host's included.
   * @throws {UserExists} a 409, found by the database, so also in a race
   */
  add: (draft: Draft, em: EntityManager | undefined, told: (user: User) => void) => Promise<User>
  /**
   * Starts a session of a user, who must be as the password was verified: at that epoch, and not disabled.
   * @throws {CredentialsInvalid} when there is no such user any more
   * @throws {SessionsFull} when the user has as many as may be, and none may end for it
   */
  signIn: <Answer>(user: Pick<User, 'id' | 'epoch'>, beginning: Beginning, issue: (session: Session) => Answer) => Promise<Answer>
  /**
   * Gives a user another password, and ends every session but this one, which goes on with the tokens that `issue` makes,
   * and no earlier ones.
   * @throws {PasswordRejected} a 400 that names the rule
   * @throws {CredentialsInvalid} when the current one is not right
   * @throws {Busy} before anything is changed
   * @throws {TokenRevoked | TokenSuperseded} when this session is over meanwhile, or its token void
   */
  changePassword: <Answer>(change: PasswordChange, prepare: (user: User) => Promise<(session: Session) => Answer>) => Promise<Answer>
  /**
   * A user who is not disabled.
   * @throws {NotFound}
   */
  get: (id: string) => Promise<User>
}

/** What users are made of. */
export interface UserParts {
  database: Database
  events: Events
  hasher: Hasher
  policy: Policy
  lookUp: LookUp
  credentials: Credentials
  fields: OwnFields
  taken: Taken
  uniqueFields: UniqueFields
  sessions: Sessions
  revocationLog: RevocationLog
  endings: Endings
}

export function createUsers ({ database, events, hasher, policy, lookUp, credentials, fields, taken, uniqueFields, sessions, revocationLog, endings }: UserParts): Users {
  const { lend = (tx: EntityManager) => tx } = database
  const noteLogin = database.statement(({ query }) => query(User).update({ lastLoginAt: 'now' }).where({ id: 'id', epoch: 'epoch', disabledAt: null }))

  return {
    async draft ({ username: givenName, email: givenEmail, password, passwordHash: imported = '', roles = [], past = {} }, profile, gone) {
      const username = givenName === undefined ? null : readUsername(givenName)
      const email = givenEmail === undefined ? null : readEmail(givenEmail)
      const stored = fields.merge({}, profile)
      if (password !== undefined) await policy.check(password, { username, email }, gone)

      // Hashed before the name is looked at, and outside the transaction: time tells nothing, and no lock waits for it.
      const passwordHash = password === undefined ? imported : await hasher.hash(password, gone)
      const now = new Date()
      const { createdAt = now, emailVerifiedAt = null, disabledAt = null } = past
      const draft = {
        // Lists go by the id, which grows with the time when somebody came.
        id: past.id ?? (past.createdAt ? uuid({ msecs: createdAt.getTime() }) : uuid()),
        username,
        usernameKey: username && identifierKey(username),
        email,
        emailKey: email && identifierKey(email),
        emailVerifiedAt,
        passwordHash,
        roles,
        profile: stored,
        epoch: 0,
        disabledAt,
        createdAt,
        updatedAt: now,
        passwordChangedAt: now,
        lastLoginAt: null,
      }
      return { ...draft, isAdmin: isAdmin(draft) }
    },

    async register (draft, beginning, issue, join) {
      const store = async () => {
        let failure: unknown
        const storing = database.transaction(async (tx) => {
          failure = undefined
          const user = { ...draft, lastLoginAt: draft.createdAt }
          const session = sessions.begin(user, user.epoch, beginning)
          const answer = issue(session)
          await tx.insert(User, user)
          await uniqueFields.note(tx, user.id, user.profile)
          await sessions.store(tx, session)
          const happening: Happening = { type: 'register', userId: user.id, sessionId: session.id, client: beginning }
          await events.write(tx, happening)
          // Within it the database may have one connection for all: a hook that never ends must not keep it.
          await within(msLeft(), join(lend(tx))).catch((error) => { throw failure = error })
          return { answer, happening }
        })
        // A failure of the host's stays what it is, whatever the database makes of it.
        return storing.catch((error) => {
          if (failure === undefined) throw error
          return { failure }
        })
      }
      const stored = await taken.storing(() => ({ ...draft, isNew: true }), store)
      if ('failure' in stored) throw stored.failure
      events.tell(stored.happening)
      return stored.answer
    },

    add: (draft, em, told) => taken.storing(() => ({ ...draft, isNew: true }), async () => {
      // In the host's transaction, which a broken key may end, it is looked first.
      const isJoining = em?.isInTransaction()
      if (isJoining) await taken.refuse({ ...draft, isNew: true }, em!)
      // One statement needs no transaction.
      const run = isJoining || uniqueFields.names.length === 0 ? inside(database, em) : database.transaction
      await run(async (tx) => {
        await tx.insert(User, draft)
        await uniqueFields.note(tx, draft.id, draft.profile)
      })
      if (isJoining) database.commits.after(em!, () => told(draft))
      else told(draft)
      return draft
    }, em),

    signIn: ({ id, epoch }, beginning, issue) => revocationLog.record(async (tx, write, note) => {
      // Written first: the logins of one user wait for each other here, so that none overlooks another's session.
      if (await noteLogin.run(tx, { id, epoch, now: new Date() }) === 0) throw new CredentialsInvalid()

      const user = await lookUp.byId(id, tx)
      if (!user) throw new CredentialsInvalid()
      await sessions.makeRoom(tx, write, note, user, beginning)
      const session = sessions.begin(user, epoch, beginning)
      const answer = issue(session)
      await sessions.store(tx, session)
      await note({ type: 'login', userId: id, sessionId: session.id, client: beginning })
      return answer
    }),

    async changePassword ({ userId, shown: { sid: sessionId, gen }, current, next, client, gone }, prepare) {
      await policy.check(next, await lookUp.byId(userId) ?? nobody, gone)
      const user = await credentials.confirm(userId, current, client, gone)
      const issue = await prepare(user)
      const stronger = await hasher.hash(next, gone)

      return revocationLog.record(async (tx, write, note) => {
        const now = new Date()
        // Only over the hash that was verified: of two changes at once one is told that the password is another by now.
        const change = { passwordHash: stronger, passwordChangedAt: now, updatedAt: now }
        if (await tx.nativeUpdate(User, { id: userId, passwordHash: user.passwordHash }, change) === 0) throw new CredentialsInvalid()
        await endings.endOthers(tx, write, userId, 'password', { sessionId, gen, at: now, client })
        await note({ type: 'password-changed', userId, sessionId, client })
        return issue((await sessions.find(tx, sessionId))!)
      })
    },

    async get (id) {
      const user = await lookUp.byId(id)
      if (!user || user.disabledAt) throw new NotFound()
      return user
    },
  }
}

/** A user who is gone meanwhile. */
const nobody = { username: null, email: null }
