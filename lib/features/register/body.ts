import { Type } from '@sinclair/typebox'
import type { Wish } from '../../sign-in/sign-in.ts'
import { EmailSchema, UsernameSchema } from '../../users/schema.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { Spine } from '../spine.ts'

/** What somebody registers with, fields of the app's own included. */
export interface Registration extends Pick<Wish, 'transport'> {
  username?: string
  email?: string
  /** Undefined where something else is given in its place. */
  password?: string
}

/** The names that a registration asks for. */
export function nameFields ({ settings: { identifiers } }: Pick<Spine, 'settings'>) {
  return {
    ...identifiers.includes('username') && { username: UsernameSchema },
    ...identifiers.includes('email') && { email: EmailSchema },
  }
}

/** The names, the password and the fields that a registration asks for. */
export function registrationFields (
  { settings: { identifiers }, users: { fields } }: Spine, { PasswordSchema }: Passwords, needsEmail: boolean
) {
  const hasName = identifiers.includes('username')
  return {
    ...hasName && { username: UsernameSchema },
    ...identifiers.includes('email') && { email: hasName && !needsEmail ? Type.Optional(EmailSchema) : EmailSchema },
    password: PasswordSchema,
    ...fields.registration,
  }
}
