import { Type, type Static, type TObject, type TSchema } from '@sinclair/typebox'
import { component } from '../http/component.ts'
import type { User } from './entity.ts'
import type { AccountsTypes } from '../host/types.ts'
import { forReaders } from '../checks/field-schema.ts'
import type { UserSettings } from './options.ts'

const BaseUserSchema = Type.Object({
  id: Type.String({
    description: 'Never changes and is never given to another user.',
    examples: ['01980c1e-6f3a-7c52-9d41-5b0e8f2a7c13'],
  }),
  username: Type.Union([Type.String(), Type.Null()], {
    description: 'null for who has an e-mail address alone.', examples: ['ada'],
  }),
  email: Type.Union([Type.String(), Type.Null()], {
    description: 'null where none was given.', examples: ['ada@example.com'],
  }),
  email_verified: Type.Boolean({ description: 'Whether the address is verified.', examples: [false] }),
  roles: Type.Array(Type.String(), { description: 'What the user may do, in the words of the app.', examples: [[]] }),
})

type DeclaredFields = AccountsTypes extends { user: infer Fields } ? Fields : {}

/** The app's own fields that code can set, including those that `user.public` leaves out. */
export type GivenFields = DeclaredFields & (AccountsTypes extends { hidden: infer Fields } ? Fields : {})

/** A user as in `request.user` and in responses, with the public fields of the app. */
export type AccountsUser = Static<typeof BaseUserSchema> & DeclaredFields

/** A user as services return it. */
export type ManagedUser = AccountsUser &
  Pick<User, 'kind' | 'disabledAt' | 'closesAt' | 'resetDueAt' | 'createdAt' | 'lastLoginAt'>

/** The stored properties of a user that `AccountsUser` is made of. */
export type PublicFields = Readonly<Pick<User, 'id' | 'username' | 'email' | 'emailVerifiedAt' | 'roles' | 'profile'>>

/** Makes what answers and services give of users, and nothing else of them ever leaves. */
export interface PublicUsers {
  schema: TObject
  of: (user: PublicFields) => AccountsUser
  managed: (user: User) => ManagedUser
}

export function createPublicUsers (
  { user: { fields, public: names = Object.keys(fields) } }: UserSettings
): PublicUsers {
  // Optional, and without a default: an account may be older than the field, and an answer says what is stored.
  const own = names.map((name) => [name, Type.Optional(forReaders(fields[name] as TSchema))] as const)
  const properties = { ...BaseUserSchema.properties, ...Object.fromEntries(own) }

  // Roles that are no list of texts, which only somebody in the database can have written, count as none.
  function of ({ id, username, email, emailVerifiedAt, roles, profile }: PublicFields): AccountsUser {
    const isList = Array.isArray(roles) && roles.every((role) => typeof role === 'string')
    const ownFields = names.filter((name) => Object.hasOwn(profile ?? {}, name)).map((name) => [name, profile[name]])
    return {
      id,
      username,
      email,
      email_verified: emailVerifiedAt !== null,
      roles: isList ? roles : [],
      ...Object.fromEntries(ownFields),
    }
  }

  return {
    schema: component('User', Type.Object(properties, { description: 'A user' })),
    of,
    managed (user) {
      const { kind, disabledAt, closesAt, resetDueAt, createdAt, lastLoginAt } = user
      return { ...of(user), kind, disabledAt, closesAt, resetDueAt, createdAt, lastLoginAt }
    },
  }
}
