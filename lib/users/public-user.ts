import { Type, type Static } from '@sinclair/typebox'
import type { User } from '../entities/user.ts'

/** All that ever leaves of a user. */
export const UserSchema = Type.Object({
  id: Type.String({ description: 'Never changes and is never given to another user.' }),
  username: Type.Union([Type.String(), Type.Null()]),
  email: Type.Union([Type.String(), Type.Null()]),
  roles: Type.Array(Type.String()),
}, { description: 'A user' })

/** A user as `request.user` and every answer show it. */
export type AccountsUser = Static<typeof UserSchema>

/** What is shown of a user, as it is stored. */
export type PublicFields = Pick<User, 'id' | 'username' | 'email' | 'roles'>

/** Roles that are no list of texts, which only a hand in the database can write, are none. */
export function publicUser ({ id, username, email, roles }: PublicFields): AccountsUser {
  const isList = Array.isArray(roles) && roles.every((role) => typeof role === 'string')
  return { id, username, email, roles: isList ? roles : [] }
}
