import createError from '@fastify/error'

export const NotFound = createError('ACCOUNTS_NOT_FOUND', 'There is no such user or session', 404)

const Taken = createError<'ACCOUNTS_USER_EXISTS', [field: string]>('ACCOUNTS_USER_EXISTS', 'The %s is taken', 409)

/** An error whose `field` says what is taken: `username`, `email`, or a field of the app's own. */
export class UserExists extends Taken {
  field: string

  constructor (field = 'username') {
    super(field)
    this.field = field
  }
}
