import { defineEntity, p } from '@mikro-orm/core'
import { User } from '../../users/entity.ts'

/** A code by which somebody signs in once who has lost their second factor. */
const RecoveryCodeSchema = defineEntity({
  name: 'AccountsRecoveryCode',
  tableName: 'accounts_recovery_codes',
  properties: {
    /** The SHA-256 of the user's id and the code (`code.ts`), which tells nobody the code. */
    id: p.string().length(64).primary().name('id'),
    user: () => p.manyToOne(User).joinColumn('user_id').deleteRule('cascade').index(),
    createdAt: p.datetime(3).name('created_at'),
    usedAt: p.datetime(3).strictNullable().name('used_at'),
  },
})

export class RecoveryCode extends RecoveryCodeSchema.class {}
RecoveryCodeSchema.setClass(RecoveryCode)
