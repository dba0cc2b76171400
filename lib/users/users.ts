import type { Database } from '../database/database.ts'
import type { Telemetry } from '../events/telemetry.ts'
import type { UserCounters } from './events.ts'
import { createDraftUser, type DraftUser } from './draft.ts'
import { ownFields, type OwnFields } from './fields.ts'
import { createKnownUsers, type KnownUsers } from './known-users.ts'
import { createLookUp, type LookUp } from './look-up.ts'
import type { UserSettings } from './options.ts'
import { createPublicUsers, type PublicUsers } from './public-user.ts'
import { createTaken, type Taken } from './taken.ts'
import { createUniqueFields, type UniqueFields } from './unique-fields.ts'

/** All that is known of users: who there is, who they are shown as, and what of them nobody else may have. */
export interface Users {
  lookUp: LookUp
  known: KnownUsers
  fields: OwnFields
  publicUsers: PublicUsers
  uniqueFields: UniqueFields
  taken: Taken
  draft: DraftUser
}

/**
 * Opens the users, once the values of unique fields are there of those who were users before.
 * @throws {OptionsInvalid} for a field that is to be unique, and of which two users have one value
 */
export async function openUsers (
  { database, telemetry }: { database: Database, telemetry: Telemetry<UserCounters> }, settings: UserSettings
): Promise<Users> {
  const lookUp = createLookUp(database, settings)
  const uniqueFields = createUniqueFields(database, settings)
  await uniqueFields.fill()
  const fields = ownFields(settings)

  return {
    lookUp,
    known: createKnownUsers(lookUp, settings, telemetry),
    fields,
    publicUsers: createPublicUsers(settings),
    uniqueFields,
    taken: createTaken(database, uniqueFields),
    draft: createDraftUser(fields),
  }
}
