import createError from '@fastify/error'

/** The command line is not one that there is: exit code 2. */
export const UsageWrong = createError<[reason: string]>('ACCOUNTS_USAGE', '%s', 400)

/** The user or the session of a command is not there: the plugin's own error does not say which of the two. */
export const NotFound = createError<[what: string]>('ACCOUNTS_NOT_FOUND', 'There is no such %s', 404)

/** What was asked for cannot be done as things are. */
export const Refused = createError<[reason: string]>('ACCOUNTS_REFUSED', '%s', 409)
