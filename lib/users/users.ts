import type { EntityManager, RequiredEntityData } from '@mikro-orm/core'
import { v7 as uuid } from 'uuid'
import { isDuplicate, type Database } from '../database.ts'
import type { Session } from '../entities/session.ts'
import { User } from '../entities/user.ts'
import { CredentialsInvalid, UserExists } from '../errors.ts'
import type { Settings } from '../settings.ts'
import type { Hasher } from '../passwords/hasher.ts'
import { checkPassword } from '../passwords/policy.ts'
import type { Client, Sessions } from '../sessions/sessions.ts'
import { identifierKey, readEmail, readUsername } from './identifiers.ts'

/** What somebody registers with. Which of the two names there are is the `identifiers` option's matter. */
export interface Registration {
  username?: string
  email?: string
  password: string
}

export interface Users {
  /**
   * Adds a user and a first session, both or neither.
   * @throws {InputInvalid | PasswordRejected} a 400 that names the rule
   * @throws {UserExists} a 409, found by the database, so also in a race
   */
  register: (registration: Registration, client: Client) => Promise<Session>
  /**
   * Starts a session for whoever knows the password.
   * @throws {CredentialsInvalid} one 401, after the same work, for a wrong name, a wrong password and a disabled user
   */
  login: (identifier: string, password: string, client: Client) => Promise<Session>
}

export function createUsers (database: Database, hasher: Hasher, sessions: Sessions, { identifiers, password: policy }: Settings): Users {
  async function find (em: EntityManager, identifier: string): Promise<User | null> {
    const key = identifierKey(identifier)
    const kind = identifier.normalize('NFKC').includes('@') ? 'email' : 'username'
    if (!identifiers.includes(kind)) return null
    return em.findOne(User, kind === 'email' ? { emailKey: key } : { usernameKey: key }, { connectionType: 'write' })
  }

  return {
    async register ({ username: givenName, email: givenEmail, password }, client) {
      const username = givenName === undefined ? null : readUsername(givenName)
      const email = givenEmail === undefined ? null : readEmail(givenEmail)
      checkPassword(password, policy)

      // Hashed before the name is looked at, and outside the transaction: time tells nothing, and no lock waits for it.
      const passwordHash = await hasher.hash(password)
      const now = new Date()

      try {
        return await database.run(async (em) => {
          const user = em.create(User, {
            id: uuid(),
            username,
            usernameKey: username && identifierKey(username),
            email,
            emailKey: email && identifierKey(email),
            emailVerifiedAt: null,
            passwordHash,
            roles: [],
            profile: {},
            epoch: 0,
            disabledAt: null,
            createdAt: now,
            updatedAt: now,
            passwordChangedAt: now,
            lastLoginAt: now,
          } satisfies RequiredEntityData<User>)
          const session = sessions.start(em, user, user.epoch, client)
          await em.flush()
          return session
        })
      } catch (error) {
        throw isDuplicate(error) ? new UserExists() : error
      }
    },

    async login (identifier, password, client) {
      const user = await database.run((em) => find(em, identifier))
      const matches = await hasher.verify(user?.passwordHash, password)
      if (!user || !matches || user.disabledAt) throw new CredentialsInvalid()

      const { id, epoch, passwordHash } = user
      if (hasher.needsRehash(passwordHash)) {
        const stronger = await hasher.hash(password)
        // Only over the hash that was verified: a password changed meanwhile stays changed.
        await database.run((em) => em.nativeUpdate(User, { id, passwordHash }, { passwordHash: stronger }))
      }

      return database.run(async (em) => {
        const current = await em.findOne(User, { id }, { connectionType: 'write' })
        if (!current) throw new CredentialsInvalid()

        const session = sessions.start(em, current, epoch, client)
        current.lastLoginAt = session.createdAt
        await em.flush()
        return session
      })
    },
  }
}
