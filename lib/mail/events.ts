import { Type, type Static } from '@sinclair/typebox'
import type { AccountEvent } from '../events/events.ts'

const kind = Type.String({ maxLength: 32, pattern: '^[\\w-]+$' })
const failed = Type.Object({
  kind, error: Type.String({ maxLength: 64, pattern: '^\\w+$' }),
}, { additionalProperties: false })
const suppressed = Type.Object({ kind }, { additionalProperties: false })

/** The data of what is told of mails. */
export const mailData = { 'mail-failed': failed, 'mail-suppressed': suppressed }

/** What is told of mails. */
export interface MailEvents {
  /** A mail was given up: the server refused it permanently, or it could not be sent in time. */
  'mail-failed': AccountEvent<never, MailFailureData>
  /** A mail was not sent because its address has reached the limit. */
  'mail-suppressed': AccountEvent<never, Static<typeof suppressed>>
}

/** Which mail, and the class of the error. */
export type MailFailureData = Static<typeof failed>
