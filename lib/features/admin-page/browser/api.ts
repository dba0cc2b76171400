import { code } from '../code.ts'

/**
 * Talks to the server. The tokens stay in this script: no storage and no cookie has them, so they are gone with the
 * page. An access token that is over is replaced, and who has to prove once more who they are is asked for it.
 */
export const api = code`
let tokens
let refreshing

const words = {
  ACCOUNTS_CREDENTIALS_INVALID: 'That is not right. Please look once more.',
  ACCOUNTS_FACTOR_INVALID: 'That code is not right. A code is good once, and for a short time.',
  ACCOUNTS_FACTOR_ENROLMENT_REQUIRED: 'This account needs a second factor first. Set one up in the app.',
  ACCOUNTS_FORBIDDEN: 'Your account may not do this.',
  ACCOUNTS_LAST_ADMIN: 'There would be no admin left.',
  ACCOUNTS_NOT_FOUND: 'It is not there any more.',
  OFFLINE: 'The server does not answer.',
}

function tell (error) {
  const { retryAfter, status } = error
  if (status === 429 || status === 503) {
    return 'The server is busy, or there were too many tries. Try again in ' + (retryAfter ?? 'some') + ' seconds.'
  }
  return words[error.code] ?? (error.message || 'Something went wrong. Please try again.')
}

async function send (method, path, payload) {
  const { name, scheme } = header
  const headers = {}
  if (payload) headers['content-type'] = 'application/json'
  if (tokens) headers[name] = (scheme + ' ' + tokens.access_token).trim()
  const body = payload && JSON.stringify(payload)
  const response = await fetch(base + path, { method, headers, body, credentials: 'omit' }).catch(() => {
    throw Object.assign(new Error(), { code: 'OFFLINE' })
  })
  const answer = await response.json().catch(() => ({}))
  if (response.ok) return answer
  throw Object.assign(new Error(answer.message), answer, {
    status: response.status, retryAfter: response.headers.get('retry-after'),
  })
}

const over = ['ACCOUNTS_TOKEN_EXPIRED', 'ACCOUNTS_TOKEN_REVOKED', 'ACCOUNTS_TOKEN_SUPERSEDED']
const provable = ['ACCOUNTS_TOKEN_STALE', 'ACCOUNTS_TOKEN_WEAK']

/** Calls that find the token expired at the same time share one refresh. */
function refresh () {
  refreshing ??= send('POST', routes.refresh ?? '/', { refresh_token: tokens?.refresh_token ?? '' })
    .then((answer) => { tokens = answer })
    .catch((error) => {
      if (error.status < 500) signOut('Your session is over. Please sign in again.')
      throw Object.assign(error, { isTold: error.status < 500 })
    })
    .finally(() => { refreshing = undefined })
  return refreshing
}

function call (method, path, payload) {
  return send(method, path, payload).catch(async (error) => {
    if (!over.includes(error.code)) throw error
    await refresh()
    return send(method, path, payload)
  }).catch(async (error) => {
    if (!provable.includes(error.code)) throw error
    await prove()
    return send(method, path, payload)
  })
}

const query = (values) => {
  const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== '')
  return given.length === 0 ? '' : '?' + new URLSearchParams(given)
}
`
