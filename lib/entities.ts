import { firstMigrations } from './database/migrations.ts'
import type { Schema } from './database/schema.ts'
import { Event } from './events/entity.ts'
import { eventMigrations } from './events/migrations.ts'
import { Seal } from './events/seal-entity.ts'
import { features } from './features.ts'
import type { AnyFeature } from './features/feature.ts'
import { MailRow } from './mail/entity.ts'
import { mailMigrations } from './mail/migrations.ts'
import { OneTime } from './one-time/entity.ts'
import { oneTimeMigrations } from './one-time/migrations.ts'
import { SpentRow } from './one-time/spent-entity.ts'
import { Session } from './sessions/entity.ts'
import { sessionMigrations } from './sessions/migrations.ts'
import { ensureRows, Revision } from './sessions/revision.ts'
import { RevokedToken } from './sessions/revoked-token.ts'
import { User } from './users/entity.ts'
import { userMigrations } from './users/migrations.ts'
import { UniqueField } from './users/unique-field.ts'

const cards: readonly AnyFeature[] = features

/** For the `entities` of an app's own MikroORM, if that is to know them. */
export const entities = [
  User, Session, RevokedToken, Revision, ...cards.flatMap(({ entities = [] }) => entities), Event, UniqueField,
  OneTime, MailRow, SpentRow, Seal,
]

/** What the database is to hold, whatever is turned on: tables that nobody uses are empty, and cost nothing. */
export const tables: Schema = {
  entities,
  migrations: [
    firstMigrations, mailMigrations, oneTimeMigrations, sessionMigrations, userMigrations,
    ...cards.flatMap(({ migrations = [] }) => migrations),
    eventMigrations,
  ],
  fill: ensureRows,
}
