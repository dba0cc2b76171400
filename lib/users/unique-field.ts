import { defineEntity, p } from '@mikro-orm/core'
import { User } from './entity.ts'

/**
 * What a user has in a field that is unique, by its SHA-256: the profile is JSON, of which no database has a unique key. Two
 * rows of each field have no user: one to wait for, and one that says that those stand here who were users before.
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
