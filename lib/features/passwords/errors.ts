import createError from '@fastify/error'
import { postponed } from '../../http/refusal.ts'

export const PasswordRejected = createError<'ACCOUNTS_PASSWORD_REJECTED', [rule: string]>('ACCOUNTS_PASSWORD_REJECTED',
  'The password %s', 400)
export const PasswordResetRequired = createError('ACCOUNTS_PASSWORD_RESET_REQUIRED',
  'Another password has to be chosen first, by a mail', 403)
export const Busy = postponed('ACCOUNTS_BUSY', 'Too many passwords wait to be checked: try again in %s', 503)
