import { OptionalKind, Type, type TSchema } from '@sinclair/typebox'
import { InputInvalid } from '../http/errors.ts'
import { forChangeByCode, forCode, forUsers, holdsReadOnly, withReadOnly } from '../checks/field-schema.ts'
import type { UserSettings } from './options.ts'

const RoleSchema = Type.String({ minLength: 1, maxLength: 64, pattern: '^[^\\p{Cc}\\p{Cs}]*$' })
export const RolesSchema = Type.Array(RoleSchema, { maxItems: 64, uniqueItems: true })

/** How deep objects and arrays may be nested, the profile included. */
const mostLevels = 31

/** The values of a user in the fields of the app's own. */
export type Profile = Record<string, unknown>

/** The schemas of the fields of the app's own, for each who may write them. */
export interface AppFields {
  /** The fields that a registration asks for. */
  registration: Record<string, TSchema>
  /** The defaults of `readOnly` fields, which a registration stores beside. */
  given: Profile
  /** The fields that code gives to a new user, which may include `readOnly` ones. */
  creation: Record<string, TSchema>
  /** The fields that users change of themselves. */
  ownChange: Record<string, TSchema>
  /** The fields that code and admins change. */
  change: Record<string, TSchema>
  /**
   * The profile with the fields changed. In a change, null takes an optional field away.
   * @throws {InputInvalid} for values that not every database can keep
   */
  merge: (profile: Profile, fields: Profile) => Profile
}

export function createAppFields ({ user: { fields } }: UserSettings): AppFields {
  // `unique` is no keyword of JSON Schema: the database checks it.
  const all = Object.entries(fields).map(([name, { unique: _, ...field }]) => [name, field as TSchema] as const)
  const writable = all.filter(([, field]) => !field.readOnly)
  const readOnly = all.filter(([, field]) => field.readOnly)
  const withDefault = readOnly.filter(([, field]) => 'default' in field)

  const named = (entries: typeof all, change: (field: TSchema) => TSchema) =>
    Object.fromEntries(entries.map(([name, field]) => [name, change(field)]))

  return {
    registration: named(writable, forUsers),
    given: Object.fromEntries(withDefault.map(([name, field]) => [name, field.default])),
    creation: { ...named(writable, forCode), ...named(readOnly, (field) => Type.Optional(forCode(field))) },
    // To take a field away would take away its `readOnly` members too.
    ownChange: named(writable, (field) => changeOf(forUsers(field), isOptional(field) && !holdsReadOnly(field))),
    change: named(all, (field) => changeOf(forChangeByCode(field), isOptional(field))),

    merge (profile, changes) {
      if (!isStorable(changes)) {
        throw new InputInvalid('body must not hold NUL, half a character or values nested too deeply')
      }
      const changed = Object.entries(changes).map(([name, value]) =>
        [name, withReadOnly(fields[name]!, value, profile?.[name])])
      const merged = Object.entries({ ...profile, ...Object.fromEntries(changed) })
      return Object.fromEntries(merged.filter(([name, value]) => value !== null || !isOptional(fields[name])))
    },
  }
}

/** The schema of a field in a change, where each may be left out and none has a default. */
function changeOf (field: TSchema, canBeTakenAway: boolean): TSchema {
  const { default: _, readOnly: __, ...rest } = field
  const schema = rest as TSchema
  if (!canBeTakenAway) return Type.Optional(schema)
  return Type.Optional(Type.Union([schema, Type.Null()], { description: 'null takes it away' }))
}

function isOptional (field: TSchema | undefined): boolean {
  return field?.[OptionalKind] === 'Optional'
}

/** Fields that need not be there, and have no default yet: somebody else may give them. */
export function optionalFields (fields: Record<string, TSchema>): Record<string, TSchema> {
  return Object.fromEntries(Object.entries(fields).map(([name, { default: _, ...field }]) =>
    [name, Type.Optional(field as TSchema)]))
}

/** PostgreSQL keeps no NUL, MariaDB no deeper values, and no database half of a surrogate pair. */
export function isStorable (value: unknown, levels = mostLevels): boolean {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\0')
  if (typeof value !== 'object' || value === null) return true
  return levels > 0 && Object.entries(value).every((entry) => entry.every((part) => isStorable(part, levels - 1)))
}
