import { defineEntity, p } from '@mikro-orm/core'

/**
 * What was used once and is good no more: a ticket, a challenge. Nothing is stored of what was only given out. Columns
 * of fixed length alone: the `insert ignore` of MySQL would hide that a value does not fit.
 */
const SpentSchema = defineEntity({
  name: 'AccountsSpent',
  tableName: 'accounts_spent',
  properties: {
    /** The SHA-256 of what it is and of its value. */
    id: p.string().length(64).primary().name('id'),
    /** When it is over in any case. */
    expiresAt: p.datetime(3).index().name('expires_at'),
  },
})

export class SpentRow extends SpentSchema.class {}
SpentSchema.setClass(SpentRow)
