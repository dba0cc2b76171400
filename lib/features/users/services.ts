import type { EntityManager } from '@mikro-orm/core'
import { Type, type Static, type TSchema } from '@sinclair/typebox'
import type { InTransaction } from '../../database/transactions.ts'
import { InputInvalid } from '../../http/errors.ts'
import { NotFound } from '../../users/errors.ts'
import { knownOptions } from '../../http/service-options.ts'
import { isId } from '../../tokens/claims.ts'
import type { Change, Changes } from './changes.ts'
import { RolesSchema, type Profile } from '../../users/fields.ts'
import { PageSchema } from '../../users/look-up.ts'
import type { GivenFields, ManagedUser } from '../../users/public-user.ts'
import type { Past } from '../../users/draft.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { Spine } from '../spine.ts'
import { createAddUser } from './additions.ts'

/** A user to create, with the app's own fields of `AccountsTypes`, including `readOnly` ones. */
export type NewUser = Partial<GivenFields> & {
  /**
   * With `service` an account for a program: it has a user name, and no password and no address. Nobody signs in to it
   * and no mail is sent to it: it acts by API keys, which `app.accounts.keys.create` makes. Default `person`.
   */
  kind?: 'person' | 'service'
  username?: string
  email?: string
  /** Without a password the user signs in by other means: see `issueTokens`. */
  password?: string
  /** Instead of a password: an imported hash, of argon2id or of a scheme in `password.legacy`. */
  passwordHash?: string
  roles?: string[]
  /** The id of an imported user: a UUID. Default a new one, with the time of `createdAt`. */
  id?: string
  /** When an imported user was created. Default now. */
  createdAt?: Date
  /** When the address was verified. Default null: it is not. */
  emailVerifiedAt?: Date
  /** When the user was disabled. Default null: the user is not. */
  disabledAt?: Date
}

/** The changes of a user; null removes a user name, an address or an optional field. */
export type UserChange = { [Name in keyof GivenFields]?: GivenFields[Name] | TakenAway<GivenFields, Name> } & {
  username?: string | null
  email?: string | null
}

/** Null is allowed for optional fields. */
type TakenAway<Fields, Name extends keyof Fields> = {} extends Pick<Fields, Name> ? null : never

/**
 * Users. Unknown and malformed ids throw `NotFound`, unknown options `OptionsInvalid`. Changes take effect at the next
 * request in this process, and in others as soon as they read the log.
 */
export interface UserServices {
  /**
   * Creates a user, with the checks of a registration and without a session.
   * @throws {InputInvalid | PasswordRejected | UserExists | Busy}
   */
  create: (user: NewUser, options?: InTransaction) => Promise<ManagedUser>
  /** Finds a user by id, user name or address, in any spelling; null if there is none. */
  find: (idOrIdentifier: string, options?: InTransaction) => Promise<ManagedUser | null>
  /**
   * Lists users, the newest first: a page of `limit` (1 to 100, default 50), after the user with the id `after`, which
   * is the `next` of the previous page.
   * @throws {InputInvalid}
   */
  list: (
    options?: InTransaction & { limit?: number; after?: string },
  ) => Promise<{ users: ManagedUser[]; next: string | null }>
  /**
   * Changes the user name, the address and the app's own fields.
   * @throws {NotFound | InputInvalid | UserExists}
   */
  update: (id: string, change: UserChange, options?: InTransaction) => Promise<ManagedUser>
  /**
   * Disables a user: nobody can sign in, and all sessions end.
   * @throws {NotFound}
   */
  disable: (id: string, options?: InTransaction) => Promise<ManagedUser>
  /**
   * Enables a disabled user. Ended sessions stay ended.
   * @throws {NotFound}
   */
  enable: (id: string, options?: InTransaction) => Promise<ManagedUser>
  /**
   * Deletes a user and all sessions.
   * @throws {NotFound}
   * @throws {UserReferenced} if a row of yours refers to the user, and its foreign key prevents the deletion: nothing
   * is deleted. Disable the user instead, or delete the rows that refer to them first.
   */
  delete: (id: string, options?: InTransaction) => Promise<void>
  /**
   * Sets the password of a user, and ends all sessions.
   * @throws {NotFound | PasswordRejected | Busy}
   */
  setPassword: (id: string, password: string, options?: InTransaction) => Promise<ManagedUser>
  /**
   * Replaces all roles of a user: at most 64, of 1 to 64 characters each.
   * @throws {NotFound | InputInvalid}
   */
  setRoles: (id: string, roles: string[], options?: InTransaction) => Promise<ManagedUser>
  /**
   * Marks the address of a user as verified, if you have verified it in another way than by a mail.
   * @throws {NotFound}
   * @throws {InputInvalid} if it is not the current address of the user
   */
  verifyEmail: (id: string, email: string, options?: InTransaction) => Promise<ManagedUser>
  /**
   * Returns the user if the password is right. Returns null, after the same work, if it is wrong, or the user does not
   * exist or is disabled.
   * @throws {Busy}
   */
  verifyPassword: (
    user: string | { id: string },
    password: string,
    options?: InTransaction,
  ) => Promise<ManagedUser | null>
}

export function createUserServices (spine: Spine, passwords: Passwords, changes: Changes): UserServices {
  const { hooks, input, settings: { identifiers }, users: { draft, fields, lookUp, publicUsers } } = spine
  const { managed } = publicUsers
  const add = createAddUser(spine)
  const closed = { additionalProperties: false }
  const namesAs = (schema: TSchema) => Object.fromEntries(identifiers.map((name) => [name, Type.Optional(schema)]))
  const readNew = input.reader(Type.Object({
    kind: Type.Optional(Type.Literal('person')),
    ...namesAs(Type.String()),
    password: Type.Optional(Type.String()),
    passwordHash: Type.Optional(Type.String({ maxLength: 255 })),
    roles: Type.Optional(RolesSchema),
    ...pastSchemas,
    ...fields.creation,
  }, closed), 'whole')
  const readService = input.reader(Type.Object({
    kind: Type.Literal('service'), username: Type.String(), roles: Type.Optional(RolesSchema), ...fields.creation,
  }, closed), 'whole')
  const readChange = input.reader(Type.Object({
    ...namesAs(Type.Union([Type.String(), Type.Null()])), ...fields.change,
  }, closed), 'change')
  const readPage = input.reader(PageSchema, 'whole')
  const readRoles = input.reader(Type.Object({ roles: RolesSchema }), 'whole')

  /** The hooks for who registers are for persons. */
  async function addService (given: NewUser, em: EntityManager | undefined) {
    const { kind, username, roles, ...own } = readService(given) as Given & Pick<NewUser, 'kind'>
    return add(await draft({ kind, username, roles }, own, () => ''), em, () => {})
  }

  return {
    async create (given, options) {
      const em = emOf('create', options)
      if (given?.kind === 'service') return managed(await addService(given, em))
      const { username, email, password, passwordHash, roles, id, createdAt, emailVerifiedAt, disabledAt, ...own } =
        withoutKind(readNew(given))
      if (username === undefined && email === undefined) {
        throw new InputInvalid(`body must have ${identifiers.join(' or ')}`)
      }
      if (password !== undefined && passwordHash !== undefined) {
        throw new InputInvalid('body must not have both password and passwordHash')
      }
      if (passwordHash !== undefined && !(await passwords.knows(passwordHash))) {
        throw new InputInvalid('body/passwordHash must be a hash of argon2id, or one that password.legacy knows')
      }
      const past = pastOf({ id, createdAt, emailVerifiedAt, disabledAt }, email)
      const user = await draft({ username, email, roles, past }, own, (names) =>
        password === undefined ? (passwordHash ?? '') : passwords.take(password, names)
      )
      return managed(await add(user, em, (added) => hooks.onRegistered?.(publicUsers.of(added), null)))
    },

    async find (text, options) {
      const em = emOf('find', options)
      const user = await lookUp.find(text, em)
      return user && managed(user)
    },

    async list (options = {}) {
      const { em, ...given } = knownOptions('users.list', ['em', 'limit', 'after'], options)
      const { limit, after } = readPage(given) as Static<typeof PageSchema>
      const { users: found, next } = await lookUp.page(limit, after, em)
      return { users: found.map(managed), next }
    },

    async update (id, given, options) {
      const em = emOf('update', options)
      const { username, email, ...own } = readChange(given) as Pick<Change, 'username' | 'email'> & Profile
      return managed(await changes.change(id, { username, email, fields: own }, { em }))
    },

    disable: async (id, options) =>
      managed(await changes.change(id, { disabled: true }, { em: emOf('disable', options) })),
    enable: async (id, options) =>
      managed(await changes.change(id, { disabled: false }, { em: emOf('enable', options) })),

    async delete (id, options) {
      const em = emOf('delete', options)
      if (!(await changes.remove(id, 'user-deleted', { em }))) throw new NotFound()
    },

    async setPassword (id, password, options) {
      return managed(await changes.setPassword(id, password, emOf('setPassword', options)))
    },

    async setRoles (id, given, options) {
      const em = emOf('setRoles', options)
      const { roles } = readRoles({ roles: given }) as { roles: string[] }
      return managed(await changes.change(id, { roles }, { em }))
    },

    async verifyEmail (id, email, options) {
      const em = emOf('verifyEmail', options)
      if (typeof email !== 'string') throw new InputInvalid('body/email must be string')
      return managed(await changes.change(id, { verifiedEmail: email }, { em }))
    },

    async verifyPassword (who, password, options) {
      const em = emOf('verifyPassword', options)
      const user = await passwords.match(typeof who === 'string' ? who : who.id, password, em)
      return user && managed(user)
    },
  }
}

const DateSchema = Type.Optional(Type.String({ format: 'date-time' }))
const pastSchemas = {
  id: Type.Optional(Type.String()),
  createdAt: DateSchema,
  emailVerifiedAt: DateSchema,
  disabledAt: DateSchema,
}

/** What a user brings along from elsewhere, as the check of the input leaves it: dates are texts by then. */
type GivenPast = { [Name in keyof Past]: string | undefined }

/** A user to be made, as the check of the input leaves it: the rest are fields of the app's own. */
type Given = Pick<NewUser, 'username' | 'email' | 'password' | 'passwordHash' | 'roles'> & GivenPast & Profile

function withoutKind (given: object): Given {
  const { kind: _, ...rest } = given as Given & { kind?: 'person' }
  return rest
}

function pastOf ({ id: given, ...dates }: GivenPast, email: string | undefined): Past {
  const id = given?.toLowerCase()
  if (id !== undefined && !isId(id)) throw new InputInvalid('body/id must be a UUID')
  if (dates.emailVerifiedAt && email === undefined) throw new InputInvalid('body/emailVerifiedAt needs an email')
  return {
    id,
    ...Object.fromEntries(Object.entries(dates).map(([name, text]) => [name, text && pastDate(name, text)])),
  }
}

/** Databases differ in what they take for a year, and an id cannot tell of one before 1970. */
function pastDate (name: string, text: string): Date {
  const date = new Date(text)
  if (!(date.getTime() >= 0 && date.getTime() <= Date.now())) {
    throw new InputInvalid(`body/${name} must be a time since 1970, and past`)
  }
  return date
}

function emOf (service: keyof UserServices, options: InTransaction = {}) {
  return knownOptions(`users.${service}`, ['em'], options).em
}
