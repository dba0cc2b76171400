import { v7 as uuid } from 'uuid'
import type { IsAdmin } from './admin.ts'
import type { Kind, User } from './entity.ts'
import type { AppFields, Profile } from './fields.ts'
import { identifierKey, readEmail, readUsername } from './identifiers.ts'
import type { PublicFields } from './public-user.ts'

/**
 * The names and roles of a new user. Whether a name or an address must be given is for the option `identifiers` to say.
 */
export interface Identity {
  /** Default `person`. */
  kind?: Kind | undefined
  username?: string | undefined
  email?: string | undefined
  roles?: string[] | undefined
  /** Given for a user who is moved here from another system. */
  past?: Past | undefined
}

/** What a user keeps who is moved here from another system. */
export interface Past {
  id?: string | undefined
  createdAt?: Date | undefined
  emailVerifiedAt?: Date | undefined
  disabledAt?: Date | undefined
}

/** A user who is not stored yet. */
export type Draft = Omit<User, keyof PublicFields> & PublicFields

/** The names as they are stored, on which no password may be built. */
type Names = Pick<User, 'username' | 'email'>

/**
 * Makes a user of names and of fields of the app's own, which have been checked. `hashOf` gives the hash of a password,
 * or `''` for none. It is called once the names are known to be valid: before they are looked up, so that the time of
 * an answer does not tell whether they are taken, and outside of any transaction, so that no lock waits for a hash.
 * @throws {InputInvalid} for a name or an address that is none
 * @throws what `hashOf` throws
 */
export type DraftUser = (
  identity: Identity, profile: Profile, hashOf: (names: Names) => string | Promise<string>
) => Promise<Draft>

export function createDraftUser (fields: Pick<AppFields, 'merge'>, isAdmin: IsAdmin): DraftUser {
  return async (identity, profile, hashOf) => {
    const { kind = 'person', username: givenName, email: givenEmail, roles = [], past = {} } = identity
    const username = givenName === undefined ? null : readUsername(givenName)
    const email = givenEmail === undefined ? null : readEmail(givenEmail)
    const stored = fields.merge({}, profile)
    const passwordHash = await hashOf({ username, email })
    const now = new Date()
    const { createdAt = now, emailVerifiedAt = null, disabledAt = null } = past
    const draft = {
      // Lists are ordered by the id, which grows with the time of creation.
      id: past.id ?? (past.createdAt ? uuid({ msecs: createdAt.getTime() }) : uuid()),
      kind,
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
      resetDueAt: null,
      closesAt: null,
      mailFailedAt: null,
      mfaAt: null,
      factorsChangedAt: null,
    }
    return { ...draft, isAdmin: isAdmin(draft) }
  }
}
