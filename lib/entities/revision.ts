import { defineEntity, p } from '@mikro-orm/core'

/** One row: the number of the newest entry of the revocation log. Raised first in every revoking transaction. */
const RevisionSchema = defineEntity({
  name: 'AccountsRevision',
  tableName: 'accounts_revision',
  properties: {
    id: p.integer().primary().autoincrement(false).name('id'),
    revision: p.bigint('number').name('revision'),
  },
})

export class Revision extends RevisionSchema.class {}
RevisionSchema.setClass(Revision)
