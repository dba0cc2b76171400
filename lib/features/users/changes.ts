import { isDeepStrictEqual } from 'node:util'
import { raw, type EntityManager } from '@mikro-orm/core'
import { withoutValues } from '../../database/patience.ts'
import { isReferenced } from '../../database/violations.ts'
import type { Act } from '../../guards/ranks.ts'
import { User } from '../../users/entity.ts'
import { UserReferenced } from './errors.ts'
import { InputInvalid } from '../../http/errors.ts'
import { NotFound } from '../../users/errors.ts'
import type { Client } from '../../http/request.ts'
import type { Addresses } from '../email/addresses.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { Spine } from '../spine.ts'
import type { ClosingEvents } from '../closing/events.ts'
import type { EmailEvents } from '../email/events.ts'
import type { ResetEvents } from '../reset/events.ts'
import type { UserEvents } from './events.ts'
import { isId } from '../../tokens/claims.ts'
import { createAdmins, takesAdmin } from './admins.ts'
import type { Profile } from '../../users/fields.ts'
import { lentUntil } from '../../users/lending.ts'
import type { Write } from '../../sessions/revocation-log.ts'
import { identifierKey, readEmail, readUsername } from '../../users/identifiers.ts'

/** What is to change of a user; the rest stays. */
export interface Change {
  username?: string | null | undefined
  email?: string | null | undefined
  roles?: string[] | undefined
  disabled?: boolean | undefined
  /** When the account is to be deleted, or null for never: until then nobody signs in. */
  closesAt?: Date | null | undefined
  /** Since when another password has to be chosen: until then nobody signs in. */
  resetDueAt?: Date | undefined
  /** The address that is known to be theirs. */
  verifiedEmail?: string | undefined
  /** Fields of the app's own, checked. */
  fields?: Profile | undefined
}

/** Where a change is asked for, and in whose transaction it is made. */
export interface Changer {
  client?: Client | undefined
  em?: EntityManager | undefined
  /** The admin who asks for it, and what that needs. Default nobody: the user, or code. */
  by?: Act
  /** True for a route: somebody must be left who can mend it. Code of the app's may do as it likes. */
  keepsAdmin?: boolean
  /** More to write in the same transaction, of the user as they are stored, or about to be deleted. */
  within?: (tx: EntityManager, user: User) => Promise<void>
  /** Whether to delete the user, as they are once they are locked. Default always. */
  onlyIf?: (user: User) => boolean
}

/**
 * Changes of users. Each is one short transaction with its entry in the log, by which every process forgets what it
 * knew of the user; in this one before the promise is fulfilled.
 */
export interface Changes {
  /**
   * The user as changed. Whoever becomes disabled, or has to choose another password, is signed out everywhere. What
   * changes nothing writes nothing.
   * @throws {NotFound}
   * @throws {InputInvalid} for a name that is none, when no name would be left, and for a verified address that the
   * user has not; for an address or a reset of a service account
   * @throws {UserExists} found by the database, so also in a race
   * @throws {LastAdmin} with `keepsAdmin`, when nobody else is an admin
   * @throws {Forbidden} for an admin, `by`, who may not do it, or not to this user
   */
  change: (id: string, change: Change, changer?: Changer) => Promise<User>
  /**
   * Gives a user another password, and ends all sessions.
   * @throws {NotFound | PasswordRejected}
   * @throws {InputInvalid} for a service account
   */
  setPassword: (id: string, password: string, em?: EntityManager) => Promise<User>
  /**
   * Deletes a user with all sessions. False for one who is not there.
   * @throws {UserReferenced} where a row of the host's refers to the user, and its foreign key does not let go
   * @throws {LastAdmin} with `keepsAdmin`, when nobody else is an admin
   * @throws {Forbidden} for an admin, `by`, who may not do it, or not to this user
   */
  remove: (id: string, as: 'closed' | 'user-deleted', changer?: Changer) => Promise<boolean>
}

export function createChanges (
  spine: Spine, passwords: Pick<Passwords, 'take'>, addresses: Addresses | undefined
): Changes {
  const {
    database, events, mail, ranks, sessions: { endings, revocationLog }, settings: { identifiers }, users,
  } = spine
  const { fields, isAdmin, lookUp, permissions, taken, uniqueFields } = users
  const admins = createAdmins(database)

  /** Locks the user's row, so that what is read next is what nobody else changes meanwhile. */
  async function lock (tx: EntityManager, id: string, change: Partial<User> = {}): Promise<User> {
    const locked = isId(id) && await tx.nativeUpdate(User, { id }, { epoch: raw<number>('epoch'), ...change }) === 1
    if (!locked) throw new NotFound()
    return (await lookUp.byId(id, tx))!
  }

  function rename (user: User, { username, email }: Change): void {
    if (username !== undefined) {
      user.username = username === null ? null : readUsername(username)
      user.usernameKey = user.username && identifierKey(user.username)
    }
    if (email !== undefined) {
      const before = user.emailKey
      user.email = email === null ? null : readEmail(email)
      user.emailKey = user.email && identifierKey(user.email)
      if (user.emailKey !== before) user.emailVerifiedAt = null
    }
    if (identifiers.every((name) => user[name] === null)) {
      throw new InputInvalid(`body must leave ${identifiers.join(' or ')}`)
    }
  }

  /** Those who go on being signed in: but not in sessions that are borrowed no longer, with these roles. */
  async function writeChanged (tx: EntityManager, write: Write, before: User, { id, roles, epoch }: User) {
    const borrowed = await endings.markBorrowed(tx, lentUntil(permissions, before, { roles }), id)
    for (const sessionId of borrowed) await write('session', sessionId)
    await write('user', id, epoch)
  }

  function verify (user: User, email: string, now: Date): void {
    if (identifierKey(email) !== user.emailKey) throw new InputInvalid('body/email must be the address that they have')
    user.emailVerifiedAt ??= now
    user.mailFailedAt = null
  }

  return {
    async change (id, given, { client, em, by, keepsAdmin = false, within } = {}) {
      const isRenamed = given.username !== undefined || given.email !== undefined
      let changed: User
      const store = () => revocationLog.record(async (tx, write, note) => {
        const requireWithin = by && await ranks.judge(tx, by)
        if (keepsAdmin && takesAdmin(permissions, given)) await admins.requireAnother(tx, id)
        const user = await lock(tx, id)
        for (const each of [user.roles, given.roles ?? []]) requireWithin?.(each)
        changed = user
        const before = { ...user }
        const { roles = user.roles, disabled = user.disabledAt !== null, closesAt = user.closesAt } = given
        const { resetDueAt = user.resetDueAt, verifiedEmail } = given
        const isNewlyDisabled = disabled && user.disabledAt === null
        const isNewlyClosing = closesAt !== null && user.closesAt === null
        requireOfPerson(user, given)
        if (isRenamed) rename(user, given)
        user.roles = roles
        user.profile = fields.merge(user.profile, given.fields ?? {})
        const now = new Date()
        if (isNewlyDisabled || !disabled) user.disabledAt = disabled ? now : null
        user.closesAt = closesAt
        user.resetDueAt = resetDueAt
        if (verifiedEmail !== undefined) verify(user, verifiedEmail, now)
        user.isAdmin = isAdmin(user)
        if (isDeepStrictEqual(user, before)) return user
        user.updatedAt = now
        if (isRenamed || uniqueFields.names.some((name) => name in (given.fields ?? {}))) {
          await taken.refuse({ ...user, isNew: false }, tx)
        }
        await tx.nativeUpdate(User, { id }, differences(before, user))
        await uniqueFields.note(tx, id, user.profile, before.profile)
        await addresses?.tellOld(tx, before, user, client)

        const isDue = given.resetDueAt !== undefined
        const reason = isNewlyDisabled ? 'disabled' : isNewlyClosing ? 'closing' : isDue ? 'reset-due' : undefined
        if (reason) await endings.endOthers(tx, write, id, reason)
        else await writeChanged(tx, write, before, user)
        for (const type of eventsOf(before, user)) await note({ type, userId: id, client })
        if (user.roles.some((role) => !before.roles.includes(role))) await mail?.notify(tx, 'rolesRaised', user)
        await within?.(tx, user)
        return user
      }, em)
      return taken.storing(() => ({ ...changed, isNew: false }), store, em)
    },

    async setPassword (id, password, em) {
      const owner = await lookUp.byId(id, em)
      if (!owner) throw new NotFound()
      if (owner.kind === 'service') throw new InputInvalid('A service account has no password')
      const passwordHash = await passwords.take(password, owner)
      return revocationLog.record(async (tx, write, note) => {
        const now = new Date()
        const change = { passwordHash, passwordChangedAt: now, updatedAt: now, resetDueAt: null }
        const user = await lock(tx, id, change)
        await endings.endOthers(tx, write, id, 'password')
        await note({ type: 'password-changed', userId: id })
        await mail?.notify(tx, 'passwordChanged', user)
        return user
      }, em)
    },

    async remove (id, as, { client, em, by, keepsAdmin = false, within, onlyIf = () => true } = {}) {
      return isId(id) && revocationLog.record(async (tx, write, note) => {
        const requireWithin = by && await ranks.judge(tx, by)
        if (keepsAdmin) await admins.requireAnother(tx, id)
        const ended = await endings.lockLiving(tx, id, em !== undefined)
        const user = ended && await lookUp.byId(id, tx)
        if (!user || !onlyIf(user)) return false
        requireWithin?.(user.roles)
        await within?.(tx, user)
        const borrowed = await endings.markBorrowed(tx, ['by'], id)
        await events.erase(tx, id)
        // Its sessions go with it.
        await tx.nativeDelete(User, { id })
        for (const sessionId of [...ended, ...borrowed]) await write('session', sessionId)
        await write('user', id)
        await note({ type: as, userId: id, client })
        return true
      }, em).catch(orReferenced)
    },
  }
}

/** A service has no address, and no password to choose. */
function requireOfPerson ({ kind }: User, { email = null, resetDueAt }: Change): void {
  if (kind === 'person') return
  if (email !== null) throw new InputInvalid('body/email must not be given: a service account has no address')
  if (resetDueAt) throw new InputInvalid('A service account has no password')
}

/** The events that tell how a user has changed. */
function eventsOf (before: User, after: User): (keyof (UserEvents & ClosingEvents & EmailEvents & ResetEvents))[] {
  const isAnother = (names: readonly (keyof User)[]) =>
    names.some((name) => !isDeepStrictEqual(before[name], after[name]))
  return [
    ...isAnother(['username', 'email', 'profile']) ? ['user-changed' as const] : [],
    ...isAnother(['roles']) ? ['roles-changed' as const] : [],
    ...after.emailVerifiedAt && isAnother(['emailVerifiedAt']) ? ['email-verified' as const] : [],
    ...after.resetDueAt && isAnother(['resetDueAt']) ? ['reset-forced' as const] : [],
    ...isAnother(['closesAt']) ? [after.closesAt ? 'closing' as const : 'restored' as const] : [],
    ...isAnother(['disabledAt']) ? [after.disabledAt ? 'user-disabled' as const : 'user-enabled' as const] : [],
  ]
}

/** Gives the refusal of a deletion for a foreign key that holds the user, of a transaction of ours or of the host's. */
function orReferenced (error: unknown): never {
  const { cause = error } = error as { cause?: unknown }
  throw isReferenced(cause) ? new UserReferenced({ cause: withoutValues(cause) }) : error
}

/** The properties of a user that have changed, with their new values. */
function differences (before: User, user: User): Partial<User> {
  return Object.fromEntries(
    Object.entries(user).filter(([name, value]) => !isDeepStrictEqual(value, before[name as keyof User]))
  )
}
