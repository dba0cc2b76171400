import createError from '@fastify/error'

export const KeysFull = createError('ACCOUNTS_KEYS_FULL', 'There may be no more API keys', 409)
