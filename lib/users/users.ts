import type { EntityManager, RequiredEntityData } from '@mikro-orm/core'
import { v7 as uuid } from 'uuid'
import { isDuplicate, type Database } from '../database.ts'
import { Session } from '../entities/session.ts'
import { User } from '../entities/user.ts'
import { CredentialsInvalid, NotFound, TokenRevoked, UserExists } from '../errors.ts'
import type { Settings } from '../settings.ts'
import type { Hasher } from '../passwords/hasher.ts'
import { checkPassword } from '../passwords/policy.ts'
import type { Endings } from '../sessions/endings.ts'
import type { RevocationLog } from '../sessions/revocation-log.ts'
import { findSession, type Beginning, type Sessions } from '../sessions/sessions.ts'
import type { PublicFields } from './public-user.ts'
import { isId } from '../tokens/claims.ts'
import { identifierKey, readEmail, readUsername } from './identifiers.ts'

/** What somebody registers with. Which of the two names there are is the `identifiers` option's matter. */
export interface Registration {
  username?: string | undefined
  email?: string | undefined
  password: string
}

/** A new password, and the session that asks for it. */
export interface PasswordChange {
  userId: string
  sessionId: string
  current: string
  next: string
}

/** A user who is not stored yet. */
export type Draft = Omit<RequiredEntityData<User>, keyof PublicFields> & PublicFields

export interface Users {
  /**
   * Reads a registration, and hashes its password. The profile holds the fields of the app's own, checked.
   * @throws {InputInvalid | PasswordRejected} a 400 that names the rule
   */
  draft: (registration: Registration, profile: Record<string, unknown>) => Promise<Draft>
  /**
   * Adds a user and a first session, both or neither. `issue` makes the answer before anything is written, so that
   * nothing is when it cannot.
   * @throws {UserExists} a 409, found by the database, so also in a race
   */
  add: <Answer>(draft: Draft, beginning: Beginning, issue: (session: Session) => Answer) => Promise<Answer>
  /**
   * The user who knows the password.
   * @throws {CredentialsInvalid} one 401, after the same work, for a wrong name, a wrong password and a disabled user
   */
  identify: (identifier: string, password: string) => Promise<User>
  /**
   * Starts a session of a user, at the epoch that the user was read with.
   * @throws {CredentialsInvalid} when there is no such user any more
   */
  signIn: <Answer>(user: Pick<User, 'id' | 'epoch'>, beginning: Beginning, issue: (session: Session) => Answer) => Promise<Answer>
  /**
   * Checks the password of a user who is signed in.
   * @throws {CredentialsInvalid}
   */
  confirm: (id: string, password: string) => Promise<User>
  /**
   * Gives a user another password, and ends every session but this one, which goes on with the tokens that `issue` makes.
   * @throws {PasswordRejected} a 400 that names the rule
   * @throws {CredentialsInvalid} when the current one is not right
   * @throws {TokenRevoked} when this session is over meanwhile
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
  hasher: Hasher
  sessions: Sessions
  revocationLog: RevocationLog
  endings: Endings
}

export function createUsers ({ database, hasher, sessions, revocationLog, endings }: UserParts, { identifiers, password: policy }: Settings): Users {
  async function byId (id: string): Promise<User | null> {
    return isId(id) ? database.run((em) => em.findOne(User, { id }, { connectionType: 'write' })) : null
  }

  async function find (em: EntityManager, identifier: string): Promise<User | null> {
    const key = identifierKey(identifier)
    const kind = identifier.normalize('NFKC').includes('@') ? 'email' : 'username'
    if (!identifiers.includes(kind)) return null
    return em.findOne(User, kind === 'email' ? { emailKey: key } : { usernameKey: key }, { connectionType: 'write' })
  }

  /** Works as long whoever it is. A hash that was cheaper than today's is made anew while the password is at hand. */
  async function verify (user: User | null, password: string): Promise<User> {
    const matches = await hasher.verify(user?.passwordHash, password)
    if (!user || !matches || user.disabledAt) throw new CredentialsInvalid()

    const { id, passwordHash } = user
    if (hasher.needsRehash(passwordHash)) {
      const stronger = await hasher.hash(password)
      // Only over the hash that was verified: a password changed meanwhile stays changed.
      const replaced = await database.run((em) => em.nativeUpdate(User, { id, passwordHash }, { passwordHash: stronger }))
      if (replaced === 1) user.passwordHash = stronger
    }
    return user
  }

  return {
    async draft ({ username: givenName, email: givenEmail, password }, profile) {
      const username = givenName === undefined ? null : readUsername(givenName)
      const email = givenEmail === undefined ? null : readEmail(givenEmail)
      checkPassword(password, policy)

      // Hashed before the name is looked at, and outside the transaction: time tells nothing, and no lock waits for it.
      const passwordHash = await hasher.hash(password)
      const now = new Date()
      return {
        id: uuid(),
        username,
        usernameKey: username && identifierKey(username),
        email,
        emailKey: email && identifierKey(email),
        emailVerifiedAt: null,
        passwordHash,
        roles: [],
        profile,
        epoch: 0,
        disabledAt: null,
        createdAt: now,
        updatedAt: now,
        passwordChangedAt: now,
        lastLoginAt: now,
      }
    },

    async add (draft, beginning, issue) {
      try {
        return await database.run(async (em) => {
          const user = em.create(User, draft)
          const answer = issue(sessions.start(em, user, user.epoch, beginning))
          await em.flush()
          return answer
        })
      } catch (error) {
        throw isDuplicate(error) ? new UserExists() : error
      }
    },

    async identify (identifier, password) {
      return verify(await database.run((em) => find(em, identifier)), password)
    },

    async signIn ({ id, epoch }, beginning, issue) {
      return database.run(async (em) => {
        const user = await em.findOne(User, { id }, { connectionType: 'write' })
        if (!user) throw new CredentialsInvalid()

        const session = sessions.start(em, user, epoch, beginning)
        const answer = issue(session)
        user.lastLoginAt = session.createdAt
        await em.flush()
        return answer
      })
    },

    async confirm (id, password) {
      return verify(await byId(id), password)
    },

    async changePassword ({ userId, sessionId, current, next }, prepare) {
      checkPassword(next, policy)
      const user = await verify(await byId(userId), current)
      const issue = await prepare(user)
      const stronger = await hasher.hash(next)

      return revocationLog.record(async (tx, write) => {
        const now = new Date()
        // Only over the hash that was verified: of two changes at once one is told that the password is another by now.
        const change = { passwordHash: stronger, passwordChangedAt: now, updatedAt: now }
        if (await tx.nativeUpdate(User, { id: userId, passwordHash: user.passwordHash }, change) === 0) throw new CredentialsInvalid()
        const ver = await endings.endOthers(tx, write, userId, 'password', sessionId)
        if (await tx.nativeUpdate(Session, { id: sessionId, revokedAt: null }, { ver, authTime: now }) === 0) throw new TokenRevoked()
        return issue((await findSession(tx, sessionId))!)
      })
    },

    async get (id) {
      const user = await byId(id)
      if (!user || user.disabledAt) throw new NotFound()
      return user
    },
  }
}
