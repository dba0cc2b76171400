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
    maxLength: 500, description: 'What the mail says beside the words of the app: plain text.',
  })),
}, { additionalProperties: false })

export const InvitationSchema = component('Invitation', Type.Object({
  id: Type.String({ examples: [id] }),
  email: Type.String({ description: 'The address that is invited.', examples: ['eve@example.com'] }),
  roles: Type.Array(Type.String(), { description: 'What the new user may do.', examples: [[]] }),
  data: Type.Unknown({ description: 'What it was made with; null for nothing.', examples: [null] }),
  message: Type.Union([Type.String(), Type.Null()], {
    description: 'What the mail says beside the words of the app.', examples: [null],
  }),
  invited_by: Type.Union([Type.String(), Type.Null()], {
    description: 'The id of who has made it; null for code.', examples: [null],
  }),
  created_at: Type.String({ format: 'date-time', examples: ['2026-01-05T08:00:00.000Z'] }),
  expires_at: Type.String({ format: 'date-time', examples: ['2026-01-12T08:00:00.000Z'] }),
}, { description: 'An invitation that is good' }))

export function shown ({ inviterId, createdAt, expiresAt, ...rest }: Invitation) {
  return {
    ...rest,
    invited_by: inviterId,
    created_at: createdAt.toISOString(),
    expires_at: expiresAt.toISOString(),
  }
}
