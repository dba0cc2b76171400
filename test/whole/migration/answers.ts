import type { Test } from 'tap'

export async function answers (
  t: Test,
  answer: Promise<{ statusCode: number; json: () => unknown }>,
  statusCode: number,
  body: object = {}
) {
  const response = await answer
  t.equal(response.statusCode, statusCode)
  t.match(response.json(), body)
}

export const invalid = { code: 'ACCOUNTS_TOKEN_INVALID' }
export const expired = { code: 'ACCOUNTS_TOKEN_EXPIRED' }
export const missing = { code: 'ACCOUNTS_TOKEN_MISSING' }
export const revoked = { code: 'ACCOUNTS_TOKEN_REVOKED' }
export const malformed = { code: 'ACCOUNTS_HEADER_MALFORMED' }
export const csrfFailed = { code: 'ACCOUNTS_CSRF_FAILED' }

export const said = (code: string) => ({ code, message: new RegExp(`^de: ${code}, \\d+$`) })
