/** A refusal of the server. A request that gets no answer throws what `fetch` throws, or a `TimeoutError`. */
export class AccountsError extends Error {
  override name = 'AccountsError'
  /** The stable code, such as `ACCOUNTS_CREDENTIALS_INVALID`. */
  declare code: string
  /** The HTTP status. */
  declare status: number
  /** Seconds until the request may be sent again, where the server says so. */
  declare retryAfter: number | undefined
  /** The body of the answer, such as `field` of `ACCOUNTS_USER_EXISTS`. */
  declare body: Record<string, unknown>

  constructor ({ status, headers }: Response, body: Record<string, unknown> = {}) {
    super(`${body.message ?? status}`)
    this.code = `${body.code ?? status}`
    this.status = status
    this.retryAfter = Number(headers.get('retry-after')) || undefined
    this.body = body
  }
}
