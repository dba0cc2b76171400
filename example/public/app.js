// The tokens travel in cookies that no script can read. All this page ever knows is who is logged in, how long the
// access token lives, and the value against CSRF, which has a cookie that scripts may read.

const $ = (id) => document.getElementById(id)
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** What a refresh mends. Any other 401 means what it says. */
const mendable = [
  'ACCOUNTS_TOKEN_MISSING',
  'ACCOUNTS_TOKEN_EXPIRED',
  'ACCOUNTS_TOKEN_REVOKED',
  'ACCOUNTS_TOKEN_SUPERSEDED',
]

/** What makes tokens is alone in all tabs: a browser keeps the cookies that come last. */
const makesTokens = /^\/auth\/(login|register|refresh|password|reauthenticate)$/

const words = {
  ACCOUNTS_USER_EXISTS: 'Somebody has that name already. Please choose another.',
  ACCOUNTS_NOT_FOUND: 'That session was over already.',
  OFFLINE: 'The server does not answer. Is it still running?',
}

/** Where to mend what was refused. */
const fields = {
  ACCOUNTS_USER_EXISTS: '[name=username]',
  ACCOUNTS_PASSWORD_REJECTED: '[autocomplete=new-password]',
  ACCOUNTS_PROOF_INVALID: '[name=code]',
}

/**
 * The life of the access token at hand, and how often this page has got a new one. Each token is an object of its own.
 */
let token = { receivedAt: 0, lifeMs: 0, refreshes: 0 }
let isSignedIn = false

// Talking to the server

const csrfToken = () => /(?:^|; )__Host-csrf=([^;]+)/.exec(document.cookie)?.[1]

function send (method, path, body) {
  const ask = () => sendNow(method, path, body)
  return makesTokens.test(path) && navigator.locks ? navigator.locks.request('tokens', ask) : ask()
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

/** Sends, and where the access token is over, gets the next one, unless it is there by now, and sends once more. */
function call (...request) {
  const sentWith = token
  return send(...request).catch(async (error) => {
    if (!mendable.includes(error.code)) throw error
    if (token === sentWith) await refresh()
    return send(...request)
  })
}

let refreshing

/** Another tab may have given the password, and its new cookies be on their way: looks once more. */
async function sendRefresh () {
  return send('POST', '/auth/refresh').catch(async (error) => {
    if (error.code !== 'ACCOUNTS_TOKEN_SUPERSEDED') throw error
    await sleep(2000)
    return send('POST', '/auth/refresh')
  })
}

/** Calls that find the token expired at the same time share one refresh. */
function refresh () {
  refreshing ??= sendRefresh().then((tokens) => receive(tokens, token.refreshes + 1)).catch((error) => {
    if (error.status === 401) signOut('You have been logged out: this session was ended, here or on another device.')
    throw Object.assign(error, { isTold: error.status === 401 })
  }).finally(() => { refreshing = undefined })
  return refreshing
}

function tell (error, wrong) {
  if (['ACCOUNTS_CREDENTIALS_INVALID', 'ACCOUNTS_PROOF_INVALID'].includes(error.code) && wrong) return wrong
  if (error.status === 429) return `Too many tries. Please wait ${waitOf(error.retryAfter)}, then try again.`
  if (error.status === 503) return `The server is busy. Please wait ${waitOf(error.retryAfter)}, then try again.`
  return words[error.code] ?? (error.message || 'Something went wrong. Please try again.')
}

/** RFC 9110 §10.2.3: seconds, or a date. */
function waitOf (retryAfter) {
  const seconds = Number(retryAfter) || Math.ceil((Date.parse(retryAfter) - Date.now()) / 1000)
  if (!(seconds > 0)) return 'a moment'
  if (seconds < 90) return seconds === 1 ? '1 second' : `${seconds} seconds`
  return `${Math.ceil(seconds / 60)} minutes`
}

// What is on the page

function receive ({ expires_in: seconds, user }, refreshes = 0) {
  token = { receivedAt: Date.now(), lifeMs: seconds * 1000, refreshes }
  $('hello').textContent = `Hello, ${user.username}`
  for (const form of [$('change-password'), $('close-account')]) form.username.defaultValue = user.username
  $('refreshes').textContent = refreshes ? `Refreshed ${refreshes === 1 ? 'once' : `${refreshes} times`}` : ''
  tick()
}

function signIn (tokens) {
  receive(tokens)
  show('signed-in')
  $('hello').focus()
  look()
}

/** Calls on their way may all find that the session is over: the first says why. */
function signOut (why) {
  if (!isSignedIn) return
  $('closing').close()
  show('signed-out')
  choose('login')
  $('notice').textContent = why
}

function show (name) {
  isSignedIn = name === 'signed-in'
  for (const id of ['signed-in', 'signed-out']) $(id).hidden = id !== name
  for (const form of document.forms) form.reset()
  for (const answer of document.querySelectorAll('.answer')) answer.textContent = ''
  $('log-out').hidden = !isSignedIn
  $('notice').textContent = ''
  $('found').hidden = true
  $('sessions').replaceChildren()
}

function choose (name) {
  for (const id of ['login', 'register', 'forgot', 'reset']) $(id).hidden = id !== name
  $(name).querySelector('input').focus()
}

function tick () {
  const leftMs = Math.max(0, token.receivedAt + token.lifeMs - Date.now())
  const seconds = Math.ceil(leftMs / 1000)
  $('clock').textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
  Object.assign($('life'), { max: token.lifeMs, value: leftMs })
}

/** Asks who is logged in, and where. Where the access token has run out, this is what notices. */
async function look () {
  if (!isSignedIn || document.hidden) return
  const [me, list] = await Promise.all([call('GET', '/auth/me'), call('GET', '/auth/sessions')]).catch(() => [])
  if (!me || !isSignedIn) return
  $('hello').textContent = `Hello, ${me.username}`
  const rows = new Map([...$('sessions').children].map((row) => [row.dataset.id, row]))
  for (const one of list.sessions) {
    fill(rows.get(one.id) ?? $('sessions').appendChild($('row').content.firstElementChild.cloneNode(true)), one)
  }
  for (const [id, row] of rows) if (!list.sessions.some((one) => one.id === id)) row.remove()
}

/** A row stays the same element, so that whoever is on its button stays there. */
function fill (row, { id, current, user_agent: agent, ip, last_used_at: usedAt }) {
  const device = deviceOf(agent ?? '')
  row.dataset.id = id
  row.querySelector('.device').textContent = device
  row.querySelector('.here').hidden = !current
  row.querySelector('.where').textContent = `${ip ?? 'Address unknown'} · used ${timeOf(usedAt)}`
  row.querySelector('button').ariaLabel = `Log out ${device}${current ? ', this device' : ''}`
}

const browsers = {
  Edge: /Edg/,
  Opera: /OPR/,
  Firefox: /Firefox|FxiOS/,
  Chrome: /Chrom|CriOS/,
  Safari: /Safari/,
  curl: /^curl/,
}
const systems = {
  iPhone: /iPhone/,
  iPad: /iPad/,
  Android: /Android/,
  ChromeOS: /CrOS/,
  Windows: /Windows/,
  Mac: /Mac OS X/,
  Linux: /Linux/,
}

function deviceOf (agent) {
  const found = [browsers, systems].map((names) => Object.keys(names).find((name) => names[name].test(agent)))
  return found.filter(Boolean).join(' on ') || 'Unknown device'
}

function timeOf (date) {
  if (Date.now() - Date.parse(date) < 60000) return 'just now'
  return new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(date))
}

// What people do

/** Runs an act once at a time, and says in `where` what kept it from succeeding. */
async function act (element, where, doIt) {
  if (element.ariaBusy === 'true') return
  element.ariaBusy = 'true'
  for (const place of [where, $('notice')]) place.textContent = ''
  await doIt().catch((error) => {
    if (error.isTold) return
    where.textContent = tell(error, element.dataset.wrong)
    element.querySelector(fields[error.code] ?? '[autocomplete=current-password]')?.select()
  })
  element.ariaBusy = 'false'
}

function onSubmit (id, submit) {
  $(id).addEventListener('submit', (event) => {
    event.preventDefault()
    act($(id), $(id).querySelector('.answer') ?? $('notice'), () => submit(Object.fromEntries(new FormData($(id)))))
  })
}

const onClick = (id, doIt) => $(id).addEventListener('click', () => act($(id), $('notice'), doIt))

onSubmit('register', async ({ email, ...body }) =>
  signIn(await send('POST', '/auth/register', { ...body, ...email && { email }, transport: 'cookie' }))
)
onSubmit('login', async (body) => signIn(await send('POST', '/auth/login', { ...body, transport: 'cookie' })))

/** What binds the code of a mail to this page. */
let challenge

onSubmit('forgot', async ({ username }) => {
  challenge = (await send('POST', '/auth/password/forgot', { username })).challenge_id
  choose('reset')
})
onSubmit('reset', async (body) => {
  await send('POST', '/auth/password/reset', { ...body, challenge_id: challenge })
  $('reset').reset()
  choose('login')
  $('notice').textContent = 'Your password is changed. Log in with it.'
})

onSubmit('change-password', async ({ username, ...passwords }) => {
  receive(await call('PUT', '/auth/password', passwords), token.refreshes)
  $('change-password').reset()
  $('notice').textContent = 'Your password is changed. All your other sessions have ended.'
  look()
})

onSubmit('close-account', async ({ password }) => {
  if (password) receive(await call('POST', '/auth/reauthenticate', { password }), token.refreshes)
  await call('DELETE', '/auth/me').then(() => signOut('Your account is closed.'), (error) => {
    if (error.code !== 'ACCOUNTS_TOKEN_STALE') throw error
    $('confirm').hidden = false
    $('again').focus()
  })
})

onClick('refresh', refresh)
onClick('log-out', () => call('POST', '/auth/logout').then(() => signOut('You are logged out.')))
onClick('log-out-everywhere', () =>
  call('DELETE', '/auth/sessions').then(() => signOut('You are logged out everywhere.'))
)
onClick('replay', async () => {
  const say = (text) => { $('notice').textContent = text }
  const { window_seconds: seconds } = await call('POST', '/auth/thief/copy')
  const windowToClose = () => sleep(seconds * 1000 + 500)
  // A token that is younger than two windows is given back as it is.
  const tokenToAge = () => sleep(seconds * 2000 + 1500)
  say('1 of 3: The thief has copied your refresh token …')
  await tokenToAge()
  await refresh()
  await look()
  say('2 of 3: Your page has refreshed. The copy is a spent token now …')
  await windowToClose()
  say('3 of 3: The thief shows the copy …')
  const { code } = await call('POST', '/auth/thief/replay')
  if (code !== 'ACCOUNTS_REFRESH_REUSED') {
    return say('The thief came while the copy was still good, as a second tab may. Try again.')
  }
  signOut()
  say('')
  $('found').hidden = false
  $('found-title').focus()
})

$('sessions').addEventListener('click', ({ target }) => {
  const row = target.closest('button')?.closest('li')
  if (!row) return
  act(target, $('notice'), async () => {
    const isHere = !row.querySelector('.here').hidden
    await call('DELETE', `/auth/sessions/${row.dataset.id}`)
    if (isHere) return signOut('You are logged out.')
    $('notice').textContent = `${row.querySelector('.device').textContent} is logged out.`
    await look()
    $('sessions-title').focus()
  })
})
$('close').addEventListener('click', () => {
  $('close-account').reset()
  $('confirm').hidden = true
  $('closing').showModal()
})
$('keep').addEventListener('click', () => $('closing').close())
for (const link of document.querySelectorAll('[data-show]')) {
  link.addEventListener('click', () => choose(link.dataset.show))
}

document.addEventListener('visibilitychange', look)
setInterval(tick, 500)
setInterval(look, 3000)

// A value against CSRF tells that this browser was logged in: only then is there something to refresh.
isSignedIn = csrfToken() !== undefined
$('signed-out').hidden = isSignedIn
if (isSignedIn) {
  sendRefresh().then(signIn, (error) => signOut(error.status === 401 ? 'You have been logged out.' : tell(error)))
} else choose('register')
