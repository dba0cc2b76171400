import { defineEntity, p } from '@mikro-orm/core'
import { User } from '../../users/entity.ts'

/** Who a user is at another provider. */
const IdentitySchema = defineEntity({
  name: 'AccountsIdentity',
  tableName: 'accounts_identities',
  properties: {
    id: p.uuid().primary().name('id'),
    user: () => p.manyToOne(User).joinColumn('user_id').deleteRule('cascade').index(),
    /** The provider's id in the options. */
    provider: p.string().length(64).name('provider'),
    /** The SHA-256 of issuer and subject: an identity is of one user alone. */
    subjectKey: p.string().length(64).unique().name('subject_key'),
    issuer: p.string().length(255).name('issuer'),
    subject: p.string().length(255).name('subject'),
    /** The address that the provider last said, whoever has it here. */
    email: p.string().length(255).strictNullable().name('email'),
    /** The tokens of the provider, sealed. */
    tokens: p.text().strictNullable().name('tokens'),
    /** The key that has sealed them. */
    keyId: p.string().length(8).strictNullable().name('key_id'),
    createdAt: p.datetime(3).name('created_at'),
    lastUsedAt: p.datetime(3).name('last_used_at'),
  },
})

export class Identity extends IdentitySchema.class {}
IdentitySchema.setClass(Identity)
