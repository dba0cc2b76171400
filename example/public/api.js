// How pages of the example talk to the server. The tokens travel in cookies that no script can read. All that pages
// ever know is who is logged in, how long the access token lives, and the value against CSRF, which has a cookie that
// scripts may read.

export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/**
 * What a page does with tokens, when this has got the next ones by itself, when it has found that the session is over,
 * and to have its user prove once more who they are.
 */
export const page = { received (_tokens) {}, refreshed () {}, over () {}, async prove () {} }

/** What a refresh mends. Any other 401 means what it says. */
const mendable = [
  'ACCOUNTS_TOKEN_MISSING',
  'ACCOUNTS_TOKEN_EXPIRED',
  'ACCOUNTS_TOKEN_REVOKED',
  'ACCOUNTS_TOKEN_SUPERSEDED',
]

/** What is mended by a proof of who it is: the one before is too old, or was not enough. */
const provable = ['ACCOUNTS_TOKEN_STALE', 'ACCOUNTS_TOKEN_WEAK']

/** What may make tokens is alone in all tabs: a browser keeps the cookies that come last. */
const mayMakeTokens = (method, path) => method !== 'GET' && path.startsWith('/auth/')

const words = {
  ACCOUNTS_EMAIL_UNVERIFIED: 'Please show first that your address is yours: the mail for that is above.',
  ACCOUNTS_FACTOR_INVALID: 'That code is not good. Please look once more: a code is good once, and for a short time.',
  ACCOUNTS_FORBIDDEN: 'That is not for the account that you are logged in to.',
  ACCOUNTS_NOT_FOUND: 'It was over already.',
  ACCOUNTS_LAST_CREDENTIAL: 'Without it you could not sign in any more.',
  ACCOUNTS_PASSKEY_INVALID: 'That passkey has not worked. Please try again.',
  ACCOUNTS_PASSKEY_UNKNOWN: 'That passkey is of no account here.',
  ACCOUNTS_PASSWORD_RESET_REQUIRED: 'Another password has to be chosen first. A mail for that is on its way to you.',
  OFFLINE: 'The server does not answer. Is it still running?',
}

const taken = {
  username: 'Somebody has that name already. Please choose another.',
  email: 'There is an account with that address already.',
}

/** A value against CSRF tells that this browser was logged in: only then is there something to refresh. */
export const csrfToken = () => /(?:^|; )__Host-csrf=([^;]+)/.exec(document.cookie)?.[1]

/** How often this page has been given tokens. */
let received = 0

export function send (method, path, body) {
  if (!mayMakeTokens(method, path)) return sendNow(method, path, body)
  const ask = () => sendNow(method, path, body).then((answer) => {
    if (answer.csrf_token) {
      received++
      page.received(answer)
    }
    return answer
  })
  return navigator.locks ? navigator.locks.request('tokens', ask) : ask()
}

async function sendNow (method, path, body) {
  const csrf = csrfToken()
  const headers = { ...body && { 'content-type': 'application/json' }, ...csrf && { 'x-csrf-token': csrf } }
  const response = await fetch(path, { method, headers, ...body && { body: JSON.stringify(body) } }).catch(() => {
    throw Object.assign(new Error(), { code: 'OFFLINE' })
  })
  const answer = await response.json().catch(() => ({}))
  if (response.ok) return answer
  throw Object.assign(new Error(answer.message), answer, {
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
  })
}

/**
 * Sends, and where the access token is over, gets the next one, unless it is there by now, and sends once more. Where
 * it has to be proved who it is, that is asked for, and then it is sent once more.
 */
export function call (...request) {
  const before = received
  return send(...request).catch(async (error) => {
    if (!mendable.includes(error.code)) throw error
    if (received === before) await refresh()
    return send(...request)
  }).catch(async (error) => {
    if (!provable.includes(error.code)) throw error
    await page.prove()
    return send(...request)
  })
}

let refreshing

/** Another tab may have given the password, and its new cookies be on their way: looks once more. */
export async function sendRefresh () {
  return send('POST', '/auth/refresh').catch(async (error) => {
    if (error.code !== 'ACCOUNTS_TOKEN_SUPERSEDED') throw error
    await sleep(2000)
    return send('POST', '/auth/refresh')
  })
}

/** Calls that find the token expired at the same time share one refresh. */
export function refresh () {
  refreshing ??= sendRefresh().then(() => page.refreshed()).catch((error) => {
    if (error.status === 401) page.over()
    throw Object.assign(error, { isTold: error.status === 401 })
  }).finally(() => { refreshing = undefined })
  return refreshing
}

/** What is wrong, in words. `wrong` is what a form says of a password or a code that is not right. */
export function tell (error, wrong) {
  if (wrong && ['ACCOUNTS_CREDENTIALS_INVALID', 'ACCOUNTS_PROOF_INVALID'].includes(error.code)) return wrong
  if (error.status === 429) return `Too many tries. Please wait ${waitOf(error.retryAfter)}, then try again.`
  if (error.status === 503) return `The server is busy. Please wait ${waitOf(error.retryAfter)}, then try again.`
  if (error.code === 'ACCOUNTS_USER_EXISTS') return taken[error.field] ?? taken.username
  return words[error.code] ?? (error.message || 'Something went wrong. Please try again.')
}

/** RFC 9110 §10.2.3: seconds, or a date. */
function waitOf (retryAfter) {
  const seconds = Number(retryAfter) || Math.ceil((Date.parse(retryAfter) - Date.now()) / 1000)
  if (!(seconds > 0)) return 'a moment'
  if (seconds < 90) return seconds === 1 ? '1 second' : `${seconds} seconds`
  return `${Math.ceil(seconds / 60)} minutes`
}
