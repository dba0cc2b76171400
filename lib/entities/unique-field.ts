import { defineEntity, p } from '@mikro-orm/core'
import { User } from './user.ts'

/**
 * What a user has in a field that is unique, by its SHA-256: the profile is JSON, of which no database has a unique key. A
 * row without value and user says that the field is filled: those who were users before it was unique stand here too.
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
