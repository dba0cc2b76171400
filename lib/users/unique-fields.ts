import { createHash } from 'node:crypto'
import type { EntityManager } from '@mikro-orm/core'
import { isDuplicate, type Database } from '../database/database.ts'
import { UniqueField } from './unique-field.ts'
import { User } from './entity.ts'
import { OptionsInvalid } from '../http/errors.ts'
import { fromRow } from '../database/from-row.ts'
import type { Profile } from './fields.ts'
import type { UserSettings } from './options.ts'

/** Fields of the app's own of which no two users may have the same value. */
export interface UniqueFields {
  names: string[]
  /** A key for each value that a profile has in them, by the name of the field. */
  keysOf: (profile: Profile | null) => Map<string, string>
  /** Whoever has the value with this key. */
  holderOf: (em: EntityManager, field: string, key: string) => Promise<string | undefined>
  /** Notes what a user has now, and had before. Another user who has it is a broken key. */
  note: (tx: EntityManager, userId: string, now: Profile, before?: Profile | null) => Promise<void>
  /**
   * Notes what those have who were users before a field was unique: once, and never again.
   * @throws {OptionsInvalid} that names the field, when two of them have the same value
   */
  fill: () => Promise<void>
}

const pageSize = 500

/** A million users are read and noted in less. */
const mostFillMs = 600_000

/** Each field has two rows that are no user's, with these words in place of a digest: whoever fills locks the first, and adds the second. */
const [waiting, filled] = ['waiting', 'filled']

/** Before all ids. */
const first = '00000000-0000-0000-0000-000000000000'

export function createUniqueFields (database: Database, { user: { fields } }: UserSettings): UniqueFields {
  const names = Object.entries(fields).filter(([, field]) => field.unique).map(([name]) => name)
  const holder = database.statement(({ query }) => query(UniqueField).select(['user']).where({ field: 'field', valueKey: 'key' }))
  const lock = database.statement(({ query, all }) => query(UniqueField).insert(all(UniqueField)).onConflict(['field', 'valueKey']).merge(['field']))
  const page = database.statement(({ query }) => query(User).select(['id', 'profile']).where({ id: { $gt: 'after' } }).orderBy({ id: 'asc' }).limit(pageSize))

  function keysOf (profile: Profile | null): Map<string, string> {
    return new Map(names.flatMap((name) => {
      const value = Object.hasOwn(profile ?? {}, name) ? profile![name] : null
      return value === null ? [] : [[name, createHash('sha256').update(JSON.stringify(value)).digest('hex')]]
    }))
  }

  async function fillOne (tx: EntityManager, field: string): Promise<void> {
    // Other processes that start wait here, and then find that it is done.
    await lock.run(tx, { field, valueKey: waiting, user: null })
    if ((await holder.all(tx, { field, key: filled })).length > 0) return

    await tx.insert(UniqueField, { field, valueKey: filled, user: null })
    for (let after = first, size = pageSize; size === pageSize;) {
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
