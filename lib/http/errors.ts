import createError from '@fastify/error'

export const InputInvalid = createError<'ACCOUNTS_INPUT_INVALID', [reason: string]>('ACCOUNTS_INPUT_INVALID', '%s', 400)
export const Unavailable = createError<'ACCOUNTS_UNAVAILABLE', [{ cause: unknown }?]>('ACCOUNTS_UNAVAILABLE',
  'The service is not available at the moment', 503)
export const OptionsInvalid = createError<'ACCOUNTS_OPTIONS_INVALID', [problems: string, { cause: unknown }?]>(
  'ACCOUNTS_OPTIONS_INVALID', 'fastify-jwt-accounts cannot start: %s', 500)
