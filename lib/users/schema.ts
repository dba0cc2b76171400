import { Type } from '@sinclair/typebox'
import type { ErrorClass } from '../http/answers.ts'
import { UserExists } from './errors.ts'
import type { UserSettings } from './options.ts'

export const UsernameSchema = Type.String({ maxLength: 256, description: '1 to 64 characters, no @.' })
export const EmailSchema = Type.String({ maxLength: 254, description: 'An e-mail address.' })

/** The further errors of a route that changes fields of the app's own. */
export function uniqueErrors ({ user: { fields } }: UserSettings): ErrorClass[] {
  return Object.values(fields).some((field) => field.unique) ? [UserExists] : []
}
