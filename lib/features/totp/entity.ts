import { defineEntity, p } from '@mikro-orm/core'
import { User } from '../../users/entity.ts'

/** The authenticator app of a user. */
const TotpSchema = defineEntity({
  name: 'AccountsTotp',
  tableName: 'accounts_totp',
  properties: {
    user: () => p.manyToOne(User).primary().joinColumn('user_id').deleteRule('cascade').index(false),
    /** The seed, sealed (`secrets/seal.ts`). Each app that is set up has a text of its own. */
    sealed: p.string().length(255).name('sealed'),
    /** The key that it is sealed with. */
    keyId: p.string().length(8).index().name('key_id'),
    /** The step (of 30 s) of the last code that was right: no earlier one is taken again. */
    lastStep: p.integer().name('last_step'),
    /** Wrong codes in a row. At 100 none is taken any more; 101 says that this has been told. */
    failures: p.integer().name('failures'),
    /** When the password was changed under which the last code was tried: those tried under another count no more. */
    countedFor: p.datetime(3).strictNullable().name('counted_for'),
    createdAt: p.datetime(3).name('created_at'),
    lastUsedAt: p.datetime(3).strictNullable().name('last_used_at'),
  },
})

export class Totp extends TotpSchema.class {}
TotpSchema.setClass(Totp)
