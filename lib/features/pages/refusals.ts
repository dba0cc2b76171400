import { propertiesOf } from '../../checks/any-error.ts'
import type { PagesWords } from '../../mail/page-words.ts'

/** What a page says of an error, and with which status. The link is not good for more where `token` is undefined. */
interface Refusal { status: number, wrong: string, token?: undefined }

/** Where the page knows better than any text of the app what to do. */
const saidByPage = 'ACCOUNTS_INPUT_INVALID'

/**
 * What a page says of an error that its act has thrown; `own` is the app's text for it. An error of the app's own with
 * a status of 4xx says it itself.
 * @throws that error, where it is nothing that people can mend
 */
export function refusalOf (error: unknown, words: PagesWords, own: string | undefined): Refusal {
  const { code, statusCode, message } = propertiesOf(error)
  const status = Number(statusCode)
  const said: Record<string, Omit<Refusal, 'status'>> = {
    ACCOUNTS_PROOF_INVALID: { wrong: words.invalid, token: undefined },
    // A code, and no cookie with the challenge that it goes with.
    [saidByPage]: { wrong: words.elsewhere },
    ACCOUNTS_PASSWORD_REJECTED: { wrong: words.rejected(String(message)) },
    ACCOUNTS_USER_EXISTS: { wrong: words.taken },
    ACCOUNTS_THROTTLED: { wrong: words.later },
    ACCOUNTS_BUSY: { wrong: words.later },
  }
  const known = Object.hasOwn(said, String(code)) ? said[String(code)] : undefined
  if (known) return { status, ...known, ...own !== undefined && code !== saidByPage && { wrong: own } }
  if (status >= 400 && status < 500) return { status, wrong: String(message) }
  throw error
}
