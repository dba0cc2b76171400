import createError from '@fastify/error'
import { postponed } from '../../http/refusal.ts'

export const PasswordRejected = createError<'ACCOUNTS_PASSWORD_REJECTED', [rule: string]>('ACCOUNTS_PASSWORD_REJECTED',
  'The password %s', 400)
export const PasswordResetRequired = createError('ACCOUNTS_PASSWORD_RESET_REQUIRED',
  'The password must be reset by mail first', 403)
export const Busy = postponed('ACCOUNTS_BUSY', 'Too many passwords are waiting to be checked: try again in %s', 503)
