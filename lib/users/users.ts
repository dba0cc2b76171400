import type { Database } from '../database/database.ts'
import type { Telemetry } from '../events/events.ts'
import type { UserCounters } from './events.ts'
import { createIsAdmin, type IsAdmin } from './admin.ts'
import { createDraftUser, type DraftUser } from './draft.ts'
import { createAppFields, type AppFields } from './fields.ts'
import { createFactorNeeds, type FactorNeedSettings, type FactorNeedsOf } from './factor-needs.ts'
import { createKnownUsers, type KnownUsers } from './known-users.ts'
import { createLookUp, type LookUp } from './look-up.ts'
import type { UserSettings } from './options.ts'
import { createPermissions, type Permissions } from './permissions.ts'
import { createPublicUsers, type PublicUsers } from './public-user.ts'
import { createTaken, type Taken } from './taken.ts'
import { createUniqueFields, type UniqueFields } from './unique-fields.ts'

/** Everything about users: how they are found, shown, drafted, and kept from having what somebody else has. */
export interface Users {
  lookUp: LookUp
  known: KnownUsers
  fields: AppFields
  publicUsers: PublicUsers
  needsOf: FactorNeedsOf
  permissions: Permissions
  isAdmin: IsAdmin
  uniqueFields: UniqueFields
  taken: Taken
  draft: DraftUser
}

/**
 * Opens the users, and first notes the values of unique fields that earlier users have.
 * @throws {OptionsInvalid} for a field that is to be unique, and in which two users have the same value
 */
export async function openUsers (
  { database, telemetry }: { database: Database, telemetry: Telemetry<UserCounters> },
  settings: UserSettings & FactorNeedSettings
): Promise<Users> {
  const lookUp = createLookUp(database, settings)
  const uniqueFields = createUniqueFields(database, settings)
  await uniqueFields.fill()
  const fields = createAppFields(settings)
  const publicUsers = createPublicUsers(settings)
  const needsOf = createFactorNeeds(publicUsers, settings)
  const permissions = createPermissions(settings.admin.roles)
  const isAdmin = createIsAdmin(permissions)

  return {
    lookUp,
    known: createKnownUsers(lookUp, needsOf, settings, telemetry),
    fields,
    publicUsers,
    needsOf,
    permissions,
    isAdmin,
    uniqueFields,
    taken: createTaken(database, uniqueFields),
    draft: createDraftUser(fields, isAdmin),
  }
}
