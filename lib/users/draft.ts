import { v7 as uuid } from 'uuid'
import { isAdmin } from './admin.ts'
import type { User } from './entity.ts'
import type { OwnFields, Profile } from './fields.ts'
import { identifierKey, readEmail, readUsername } from './identifiers.ts'
import type { PublicFields } from './public-user.ts'

/** Who somebody is going to be. Which of the two names there are is the `identifiers` option's matter. */
export interface Identity {
  username?: string | undefined
  email?: string | undefined
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

/** A user who is not stored yet. */
export type Draft = Omit<User, keyof PublicFields> & PublicFields

/** What a password must not be built on: names as they are stored. */
type Names = Pick<User, 'username' | 'email'>

/**
 * Reads who somebody is going to be, with the fields of the app's own, which are checked by then. `hashOf` gives the hash of
 * a password, or `''` for none, once the names are known to be some: before they are looked up, so that time tells nothing,
 * and outside of any transaction, so that no lock waits for it.
 * @throws {InputInvalid} for a name or an address that is none
 * @throws what `hashOf` throws
 */
export type DraftUser = (
  identity: Identity, profile: Profile, hashOf: (names: Names) => string | Promise<string>
) => Promise<Draft>

export function createDraftUser (fields: Pick<OwnFields, 'merge'>): DraftUser {
  return async ({ username: givenName, email: givenEmail, roles = [], past = {} }, profile, hashOf) => {
    const username = givenName === undefined ? null : readUsername(givenName)
    const email = givenEmail === undefined ? null : readEmail(givenEmail)
    const stored = fields.merge({}, profile)
    const passwordHash = await hashOf({ username, email })
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
  }
}
