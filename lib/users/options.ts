import { Type, type TSchema } from '@sinclair/typebox'
import { schemaProblem } from '../checks/given-schema.ts'
import { Group, OneOf } from '../checks/kinds.ts'
import { settled, type Filled } from '../checks/slice.ts'
import type { TypeBox1Schema } from '../checks/typebox-1.ts'
import type { TokenSettings } from '../tokens/options.ts'
import { permissionNames, type RolePermissions } from './permissions.ts'

/** What a user can sign in with. */
export type Identifier = 'username' | 'email'

/** A schema of the app's own. */
const FieldSchema = Type.Unsafe<TSchema | TypeBox1Schema>({ type: 'object', tsType: 'TSchema | TypeBox1Schema' })

export const options = {
  identifiers: Type.Array(OneOf<Identifier>(['username', 'email']), {
    minItems: 1,
    uniqueItems: true,
    default: ['username', 'email'],
    tsType: 'Identifier[]',
    description: 'What users sign in with: a user name, an e-mail address, or either. With both, the address is ' +
      'optional.',
  }),
  user: Group({
    fields: Type.Record(Type.String(), FieldSchema, {
      default: {},
      description: 'Your own fields of users, as schemas of `@sinclair/typebox` 0.34 or `typebox` 1. Registration ' +
        'asks for all that are not `readOnly`. A field with `unique: true` allows each value once. Only code and ' +
        'admins write `readOnly` members ([how](recipes.md#fields-of-your-own-in-users)).',
    }),
    public: Type.Optional(Type.Array(Type.String(), {
      uniqueItems: true,
      usual: 'all',
      description: 'The names of the fields that `request.user` and responses ' +
        'contain.',
    })),
  }),
}

/** What the settings say of who may do what to accounts of others. */
export interface PermissionSettings {
  admin: { roles: RolePermissions }
}

/** What the settings say of users. A remembered user is read again after the life of an access token. */
export type UserSettings = ReturnType<typeof read> & Pick<TokenSettings, 'access'> & PermissionSettings

/** The options of the group `admin` that are about users. */
export const admin = {
  roles: Type.Unsafe<RolePermissions>({
    type: 'object',
    additionalProperties: {
      type: 'array',
      items: {
        holds: (value: unknown) => ['*', ...permissionNames].includes(value as string),
        must: `be '*' or one of ${permissionNames.join(', ')}`,
      },
    },
    tsType: 'RolePermissions',
    default: { admin: ['*'] },
    usual: "`{ admin: ['*'] }`",
    description: "Which [permissions](admin.md#permissions) each role gives, such as `{ admin: ['*'], support: " +
      "['users:read', 'users:reset'] }`. `'*'` gives all. What you give replaces the default. Give it alike in all " +
      'processes.',
  }),
}

/** Fields of bodies and of users that are ours. */
const reservedNames = [
  'id', 'username', 'email', 'emailVerifiedAt', 'email_verified', 'roles', 'password', 'passwordHash', 'transport',
  'remember', 'disabled', 'disabledAt', 'createdAt', 'lastLoginAt', 'disabled_at', 'created_at', 'last_login_at',
  'kind',
]

export function problems ({ user: { fields, public: names = [] } }: Filled<typeof options>): string[] {
  const unknown = names.filter((name) => !Object.hasOwn(fields, name))
  return [
    ...Object.entries(fields).flatMap(([name, field]) => fieldProblem(name, field as TSchema) ?? []),
    ...unknown.map((name) => `user.public names ${name}, which is not in user.fields`),
  ]
}

function fieldProblem (name: string, field: TSchema): string | undefined {
  const isTaken = reservedNames.includes(name) || name in Object.prototype
  if (isTaken || !/^[A-Za-z][\w-]{0,63}$/.test(name)) {
    return `user.fields.${name} has a name that is taken or that is none`
  }
  return schemaProblem(`user.fields.${name}`, field)
}

export function read (given: Filled<typeof options>) {
  const { user, ...rest } = settled(options, given)
  // Schemas of `typebox` 1 have been copied into those of 0.34.
  return { ...rest, user: { ...user, fields: user.fields as Record<string, TSchema> } }
}
