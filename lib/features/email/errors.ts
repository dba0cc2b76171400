import createError from '@fastify/error'

export const EmailMissing = createError('ACCOUNTS_EMAIL_MISSING', 'The account has no e-mail address', 409)
