import { defineEntity, p } from '@mikro-orm/core'
import { User } from './entity.ts'

/**
 * The SHA-256 of what a user has in a unique field: the profile is JSON, on which no database has a unique key. Two
 * rows of each field have no user: one is a lock, and the other says that the values of earlier users have been noted.
 */
const UniqueFieldSchema = defineEntity({
  name: 'AccountsUniqueField',
  tableName: 'accounts_unique_fields',
  properties: {
    field: p.string().length(64).primary().name('field'),
    valueKey: p.string().length(64).primary().name('value_key'),
    user: () => p.manyToOne(User).joinColumn('user_id').deleteRule('cascade').strictNullable().index(),
  },
})

export class UniqueField extends UniqueFieldSchema.class {}
UniqueFieldSchema.setClass(UniqueField)
