import { defineEntity, p } from '@mikro-orm/core'
import { User } from '../../users/entity.ts'

/** A passkey of a user: a public key of WebAuthn, and what its authenticator last said of itself. */
const PasskeySchema = defineEntity({
  name: 'AccountsPasskey',
  tableName: 'accounts_passkeys',
  properties: {
    id: p.uuid().primary().name('id'),
    user: () => p.manyToOne(User).joinColumn('user_id').deleteRule('cascade').index(),
    /** The SHA-256 of the credential id, which may be longer than a unique key may be. */
    credentialKey: p.string().length(64).unique().name('credential_key'),
    /** As base64url. */
    credentialId: p.text().name('credential_id'),
    /** A COSE key, as base64url. */
    publicKey: p.text().name('public_key'),
    signCount: p.bigint('number').name('sign_count'),
    /** Whether it may be on several devices (backup eligible), which never changes. */
    synced: p.boolean().name('synced'),
    /** Whether it is on several devices now, or backed up. */
    backedUp: p.boolean().name('backed_up'),
    /** Whether a first factor alone signs nobody in because of it. */
    secondFactor: p.boolean().name('second_factor'),
    /** Words with spaces between them, such as `internal hybrid`. */
    transports: p.string().length(255).name('transports'),
    /** What kind of authenticator has made it, as that says itself. */
    aaguid: p.uuid().name('aaguid'),
    /** The domain that it is for. */
    rpId: p.string().length(253).name('rp_id'),
    name: p.string().length(64).name('name'),
    createdAt: p.datetime(3).name('created_at'),
    lastUsedAt: p.datetime(3).strictNullable().name('last_used_at'),
  },
})

export class Passkey extends PasskeySchema.class {}
PasskeySchema.setClass(Passkey)
