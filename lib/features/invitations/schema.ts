import { Type } from '@sinclair/typebox'
import { component } from '../../http/component.ts'
import { EmailSchema } from '../../users/schema.ts'
import { RolesSchema } from '../../users/fields.ts'
import type { Invitation } from './invitation.ts'

const id = '01980c1e-6f3a-7c52-9d41-5b0e8f2a7c13'

/** What an invitation is made of. */
export const InvitedSchema = Type.Object({
  email: EmailSchema,
  roles: Type.Optional(RolesSchema),
  data: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { maxProperties: 64 })),
  message: Type.Optional(Type.String({
    maxLength: 500, description: 'A personal message in the mail: plain text.',
  })),
}, { additionalProperties: false })

export const InvitationSchema = component('Invitation', Type.Object({
  id: Type.String({ examples: [id] }),
  email: Type.String({ description: 'The invited address.', examples: ['eve@example.com'] }),
  roles: Type.Array(Type.String(), { description: 'The roles of the new user.', examples: [[]] }),
  data: Type.Unknown({ description: 'The data it was made with, or null.', examples: [null] }),
  message: Type.Union([Type.String(), Type.Null()], {
    description: 'The personal message in the mail.', examples: [null],
  }),
  invited_by: Type.Union([Type.String(), Type.Null()], {
    description: 'The id of the inviter; null for code.', examples: [null],
  }),
  created_at: Type.String({ format: 'date-time', examples: ['2026-01-05T08:00:00.000Z'] }),
  expires_at: Type.String({ format: 'date-time', examples: ['2026-01-12T08:00:00.000Z'] }),
}, { description: 'A valid invitation' }))

export function shown ({ inviterId, createdAt, expiresAt, ...rest }: Invitation) {
  return {
    ...rest,
    invited_by: inviterId,
    created_at: createdAt.toISOString(),
    expires_at: expiresAt.toISOString(),
  }
}
