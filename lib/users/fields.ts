import { OptionalKind, Type, type TSchema } from '@sinclair/typebox'
import { InputInvalid } from '../http/errors.ts'
import { forChangeByCode, forCode, forUsers, holdsReadOnly, withReadOnly } from '../checks/field-schema.ts'
import type { UserSettings } from './options.ts'

export const RolesSchema = Type.Array(Type.String({ minLength: 1, maxLength: 64, pattern: '^[^\\p{Cc}\\p{Cs}]*$' }), { maxItems: 64, uniqueItems: true })

/** Of objects and arrays in each other, the whole included. */
const mostLevels = 31

/** What is kept of a user for the app. */
export type Profile = Record<string, unknown>

/** The fields of the app's own, as each who may give them gives them. */
export interface OwnFields {
  /** What a registration asks for. */
  registration: Record<string, TSchema>
  /** What it stores beside. */
  given: Profile
  /** What code gives to a new user: those that are only read, too, if it likes. */
  creation: Record<string, TSchema>
  /** What users change of themselves. */
  ownChange: Record<string, TSchema>
  /** What code and admins change. */
  change: Record<string, TSchema>
  /**
   * The profile with the fields changed. In a change, null takes an optional field away.
   * @throws {InputInvalid} for what not every database can keep
   */
  merge: (profile: Profile, fields: Profile) => Profile
}

export function ownFields ({ user: { fields } }: UserSettings): OwnFields {
  // What is unique is for the database to say, and no keyword of JSON Schema.
  const all = Object.entries(fields).map(([name, { unique: _, ...field }]) => [name, field as TSchema] as const)
  const writable = all.filter(([, field]) => !field.readOnly)
  const readOnly = all.filter(([, field]) => field.readOnly)

  const named = (entries: typeof all, change: (field: TSchema) => TSchema) =>
    Object.fromEntries(entries.map(([name, field]) => [name, change(field)]))

  return {
    registration: named(writable, forUsers),
    given: Object.fromEntries(readOnly.filter(([, field]) => 'default' in field).map(([name, field]) => [name, field.default])),
    creation: { ...named(writable, forCode), ...named(readOnly, (field) => Type.Optional(forCode(field))) },
    // Who could take a field away would take away what they only read in it.
    ownChange: named(writable, (field) => changeOf(forUsers(field), isOptional(field) && !holdsReadOnly(field))),
    change: named(all, (field) => changeOf(forChangeByCode(field), isOptional(field))),

    merge (profile, changes) {
      if (!isStorable(changes)) throw new InputInvalid('body must not hold NUL, half a character or values nested too deeply')
      const changed = Object.entries(changes).map(([name, value]) => [name, withReadOnly(fields[name]!, value, profile?.[name])])
      const merged = Object.entries({ ...profile, ...Object.fromEntries(changed) })
      return Object.fromEntries(merged.filter(([name, value]) => value !== null || !isOptional(fields[name])))
    },
  }
}

/** As it stands in a change, where each may be left out and none has a default. */
function changeOf (field: TSchema, canBeTakenAway: boolean): TSchema {
  const { default: _, readOnly: __, ...rest } = field
  const schema = rest as TSchema
  return Type.Optional(canBeTakenAway ? Type.Union([schema, Type.Null()], { description: 'null takes it away' }) : schema)
}

function isOptional (field: TSchema | undefined): boolean {
  return field?.[OptionalKind] === 'Optional'
}

/** PostgreSQL keeps no NUL, MariaDB nothing within more levels, and no database half of a surrogate pair. */
export function isStorable (value: unknown, levels = mostLevels): boolean {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\0')
  if (typeof value !== 'object' || value === null) return true
  return levels > 0 && Object.entries(value).every((entry) => entry.every((part) => isStorable(part, levels - 1)))
}
