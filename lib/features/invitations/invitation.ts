import { InputInvalid } from '../../http/errors.ts'
import type { OneTimeRow } from '../../one-time/rows.ts'
import { isStorable } from '../../users/fields.ts'

/** What an invitation is made of. */
export interface Invited {
  email: string
  /** The roles of the new user. */
  roles?: string[] | undefined
  /** Data for the acceptance. Its member `public` is shown to whoever has the link. */
  data?: Record<string, unknown> | undefined
  /** A personal message in the mail: plain text of up to 500 characters. */
  message?: string | undefined
}

/** A valid invitation. */
export interface Invitation {
  id: string
  email: string
  roles: string[]
  data: Record<string, unknown> | null
  /** The personal message in the mail. */
  message: string | null
  /** The id of the inviter; null for code. */
  inviterId: string | null
  createdAt: Date
  expiresAt: Date
}

/** What an invitation keeps in its row, beside the address. */
type Kept = Pick<Invitation, 'roles' | 'inviterId'> & Partial<Pick<Invitation, 'data' | 'message'>>

/**
 * What is kept of an invitation.
 * @throws {InputInvalid} for what no database keeps, or no mail shows
 */
export function keptOf (
  { roles = [], data, message }: Omit<Invited, 'email'>, inviterId: string | null
): Record<string, unknown> {
  const kept = { roles, inviterId, ...data && { data }, ...message !== undefined && { message: readMessage(message) } }
  if (!isStorable(kept)) {
    throw new InputInvalid('body must not hold NUL, half a character or values nested too deeply')
  }
  return kept
}

/** A line ends with one character, and no other character can hide or turn what stands beside it. */
function readMessage (given: string): string {
  const message = given.replaceAll(/\r\n?/g, '\n').trim()
  if (message === '' || /[^\P{C}\n\u200c\u200d]|[\p{Zl}\p{Zp}]/u.test(message)) {
    throw new InputInvalid('body/message must be plain text, without control characters')
  }
  return message
}

export function invitationOf ({ id, address, data: kept, createdAt, expiresAt }: OneTimeRow): Invitation {
  const { roles, inviterId, data = null, message = null } = kept as unknown as Kept
  return { id, email: address, roles, data, message, inviterId, createdAt, expiresAt }
}
