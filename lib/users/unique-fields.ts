import { createHash } from 'node:crypto'
import type { EntityManager } from '@mikro-orm/core'
import { isDuplicate, type Database } from '../database/database.ts'
import { UniqueField } from './unique-field.ts'
import { User } from './entity.ts'
import { OptionsInvalid } from '../http/errors.ts'
import { fromRow } from '../database/statement.ts'
import type { Profile } from './fields.ts'
import type { UserSettings } from './options.ts'

/** Fields of the app's own of which no two users may have the same value. */
export interface UniqueFields {
  names: string[]
  /** The digests of the values that a profile has in them, by the name of the field. */
  keysOf: (profile: Profile | null) => Map<string, string>
  /** The id of the user who has the value with this digest. */
  holderOf: (em: EntityManager, field: string, key: string) => Promise<string | undefined>
  /** Notes the values of a user in place of those before. Fails with a duplicate key where another user has one. */
  note: (tx: EntityManager, userId: string, now: Profile, before?: Profile | null) => Promise<void>
  /**
   * Notes the values of those who were users before a field became unique: once for each field.
   * @throws {OptionsInvalid} that names the field, when two of them have the same value
   */
  fill: () => Promise<void>
}

const pageSize = 500

/** Long enough to read and note a million users. */
const mostFillMs = 600_000

/**
 * The digests of two rows that are no user's: `fill` locks the first of a field, and adds the second when it is done.
 */
const [lockKey, filledKey] = ['waiting', 'filled']

/** It is less than all ids. */
const leastId = '00000000-0000-0000-0000-000000000000'

export function createUniqueFields (database: Database, { user: { fields } }: UserSettings): UniqueFields {
  const names = Object.entries(fields).filter(([, field]) => field.unique).map(([name]) => name)
  const holder = database.statement(({ query }) =>
    query(UniqueField).select(['user']).where({ field: 'field', valueKey: 'key' }))
  const lock = database.statement(({ query, all }) =>
    query(UniqueField).insert(all(UniqueField)).onConflict(['field', 'valueKey']).merge(['field']))
  const page = database.statement(({ query }) =>
    query(User).select(['id', 'profile']).where({ id: { $gt: 'after' } }).orderBy({ id: 'asc' }).limit(pageSize))

  function keysOf (profile: Profile | null): Map<string, string> {
    return new Map(names.flatMap((name) => {
      const value = Object.hasOwn(profile ?? {}, name) ? profile![name] : null
      return value === null ? [] : [[name, createHash('sha256').update(JSON.stringify(value)).digest('hex')]]
    }))
  }

  async function fillOne (tx: EntityManager, field: string): Promise<void> {
    // Other processes that start wait here, and then find that it is done.
    await lock.run(tx, { field, valueKey: lockKey, user: null })
    if ((await holder.all(tx, { field, key: filledKey })).length > 0) return

    await tx.insert(UniqueField, { field, valueKey: filledKey, user: null })
    for (let after = leastId, size = pageSize; size === pageSize;) {
      const users = (await page.all<object>(tx, { after })).map((row) => fromRow(tx, User, row))
      const found = users.flatMap(({ id, profile }) => {
        const valueKey = keysOf(profile).get(field)
        return valueKey === undefined ? [] : [{ field, valueKey, user: id }]
      })
      if (found.length > 0) await tx.insertMany(UniqueField, found)
      after = users.at(-1)?.id ?? after
      size = users.length
    }
  }

  return {
    names,
    keysOf,

    async holderOf (em, field, key) {
      const [row] = await holder.all<{ user_id: string }>(em, { field, key })
      return row?.user_id
    },

    async note (tx, userId, now, before = null) {
      const [had, has] = [keysOf(before), keysOf(now)]
      for (const field of names) {
        if (had.get(field) === has.get(field)) continue
        await tx.nativeDelete(UniqueField, { field, user: userId })
        if (has.has(field)) await tx.insert(UniqueField, { field, valueKey: has.get(field)!, user: userId })
      }
    },

    async fill () {
      for (const field of names) {
        await database.transaction((tx) => fillOne(tx, field), mostFillMs).catch((error) => {
          if (!isDuplicate(error)) throw error
          throw new OptionsInvalid(`user.fields.${field} is unique, and there are users who have the same value in it`)
        })
      }
    },
  }
}
