import { Type, type Static } from '@sinclair/typebox'
import { component } from '../../http/component.ts'
import type { PasskeyRow } from './rows.ts'

/** Bytes as base64url, so many characters at most. */
const Bytes = (maxLength: number, description: string) => Type.String({ maxLength, pattern: '^[\\w-]+$', description })

/** Credential ids have up to 1,023 bytes (WebAuthn L3 §4). */
const CredentialId = Bytes(1364, 'The id of the credential.')

const credentialMembers = {
  id: CredentialId,
  rawId: CredentialId,
  type: Type.Unsafe<'public-key'>({ type: 'string', enum: ['public-key'] }),
}

/** What browsers add, now and later, is let pass. */
const open = { additionalProperties: true }

/** `AuthenticationResponseJSON` of WebAuthn L3 §5.1.8, as `credential.toJSON()` gives it. */
export const AssertionSchema = component('PasskeyAssertion', Type.Object({
  ...credentialMembers,
  response: Type.Object({
    clientDataJSON: Bytes(8192, 'What the browser has seen.'),
    authenticatorData: Bytes(8192, 'What the authenticator says.'),
    signature: Bytes(8192, 'Of both.'),
    userHandle: Type.Optional(Type.Union([Type.String({ maxLength: 128 }), Type.Null()])),
  }, open),
}, { ...open, description: 'What `navigator.credentials.get()` gives, as JSON' }))

/** `RegistrationResponseJSON` of WebAuthn L3 §5.1.8, as `credential.toJSON()` gives it. */
export const AttestationSchema = component('PasskeyAttestation', Type.Object({
  ...credentialMembers,
  response: Type.Object({
    clientDataJSON: Bytes(8192, 'What the browser has seen.'),
    attestationObject: Bytes(12288, 'The new key.'),
    transports: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 32 })),
  }, open),
}, { ...open, description: 'What `navigator.credentials.create()` gives, as JSON' }))

/** An answer of a passkey that is there. */
export type Assertion = Static<typeof AssertionSchema>

/** An answer of a passkey that is new. */
export type Attestation = Static<typeof AttestationSchema>

export const NameSchema = Type.String({
  maxLength: 64,
  pattern: '^(?=.*\\S)[^\\p{C}]+$',
  description: 'What the user calls the passkey.',
  examples: ['Work laptop'],
})

const time = (description: string) =>
  Type.String({ format: 'date-time', description, examples: ['2026-01-05T08:00:00.000Z'] })

export const PasskeySchema = component('Passkey', Type.Object({
  id: Type.String({ description: 'By which it can be changed.', examples: ['01980c1e-6f3b-7d18-8a02-c4f7e1b95d60'] }),
  name: Type.String({ examples: ['Work laptop'] }),
  created_at: time('When it was added.'),
  last_used_at: Type.Union([time('When it was last used.'), Type.Null()], { examples: [null] }),
  backed_up: Type.Boolean({ description: 'Whether it is backed up: other devices may have it.', examples: [true] }),
  synced: Type.Boolean({ description: 'Whether it can be on more than one device.', examples: [true] }),
  transports: Type.Array(Type.String(), { description: 'How browsers reach it.', examples: [['internal', 'hybrid']] }),
  aaguid: Type.String({
    description: 'What kind of authenticator has it, as that says itself.',
    examples: ['ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4'],
  }),
  rp_id: Type.String({ description: 'The domain that it is for.', examples: ['example.com'] }),
}, { description: 'A passkey' }))

/** A passkey as answers show it. */
export function shownPasskey (row: PasskeyRow): Static<typeof PasskeySchema> {
  return {
    id: row.id,
    name: row.name,
    created_at: row.createdAt.toISOString(),
    last_used_at: row.lastUsedAt?.toISOString() ?? null,
    backed_up: row.backedUp,
    synced: row.synced,
    transports: transportsOf(row),
    aaguid: row.aaguid,
    rp_id: row.rpId,
  }
}

/** How browsers may reach a passkey. */
export function transportsOf ({ transports }: Pick<PasskeyRow, 'transports'>): string[] {
  return transports === '' ? [] : transports.split(' ')
}
