import createError from '@fastify/error'

const Closing = createError('ACCOUNTS_CLOSING', 'The account is scheduled for deletion', 403)

/** An error that says when the account is deleted (`closes_at`): until then it can be restored. */
export class AccountClosing extends Closing {
  closes_at: string

  constructor (closesAt = new Date(0)) {
    super()
    this.closes_at = closesAt.toISOString()
  }
}
