import createError from '@fastify/error'

export const ConstraintViolated = createError<'ACCOUNTS_CONSTRAINT_VIOLATED', [{ cause: unknown }?]>(
  'ACCOUNTS_CONSTRAINT_VIOLATED', 'A rule of the database does not allow this', 409)
