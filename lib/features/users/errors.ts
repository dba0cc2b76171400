import createError from '@fastify/error'

export const UserReferenced = createError<'ACCOUNTS_USER_REFERENCED', [{ cause: unknown }?]>('ACCOUNTS_USER_REFERENCED',
  'There is data that refers to the user, so the user cannot be deleted', 409)
export const LastAdmin = createError('ACCOUNTS_LAST_ADMIN',
  'There would be no admin left: make somebody else an admin first', 409)
