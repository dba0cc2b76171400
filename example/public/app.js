// The page. How it talks to the server is in api.js, what it does about mails in mails.js, about second factors in
// factors.js, about passkeys in passkeys.js, and how it has people prove who they are in proving.js.

import { call, csrfToken, page, refresh, send, sendRefresh, sleep, tell } from './api.js'
import { offerFactors, showFactors } from './factors.js'
import { $, onClick, onRow, onSubmit, showRows, timeOf } from './forms.js'
import { lookAtInvitations, offerInvitations } from './invitations.js'
import { askForMail, forget, prove, tickMails } from './mails.js'
import { offerAtLogin, offerPasskeys, showPasskeys } from './passkeys.js'
import { secondStep } from './proving.js'
import { stopAsking } from './webauthn.js'

/** The life of the access token at hand, and how often this page has got a new one by itself. */
const token = { receivedAt: 0, lifeMs: 0, refreshes: 0 }
let isSignedIn = false

page.received = receive
page.refreshed = () => countRefreshes(token.refreshes + 1)
page.over = () => signOut('You have been logged out: this session was ended, here or on another device.')

// What is on the page

function receive ({ expires_in: seconds, user }) {
  Object.assign(token, { receivedAt: Date.now(), lifeMs: seconds * 1000 })
  know(user)
  tick()
}

function countRefreshes (refreshes) {
  token.refreshes = refreshes
  $('refreshes').textContent = refreshes ? `Refreshed ${refreshes === 1 ? 'once' : `${refreshes} times`}` : ''
}

function know ({ username, email, email_verified: isVerified, roles }) {
  $('hello').textContent = `Hello, ${username}`
  $('who').textContent = [email ?? 'no address', ...email ? [isVerified ? 'verified' : 'not verified'] : [], ...roles]
    .join(' · ')
  for (const form of document.querySelectorAll('#signed-in form, dialog form')) {
    if (form.username) form.username.defaultValue = username
  }
  $('unverified').hidden = !email || isVerified
  if (isVerified) forget('verify')
}

function signIn () {
  countRefreshes(0)
  show('signed-in')
  $('hello').focus()
  look()
}

/** Calls on their way may all find that the session is over: the first says why. */
function signOut (why) {
  if (!isSignedIn) return
  for (const dialog of document.querySelectorAll('dialog[open]')) dialog.close()
  show('signed-out')
  choose('login')
  $('notice').textContent = why
}

function show (name) {
  isSignedIn = name === 'signed-in'
  stopAsking()
  for (const id of ['signed-in', 'signed-out']) $(id).hidden = id !== name
  for (const form of document.forms) form.reset()
  for (const form of ['reset', 'verify', 'confirm-email']) forget(form)
  for (const answer of document.querySelectorAll('.answer')) answer.textContent = ''
  $('log-out').hidden = !isSignedIn
  $('notice').textContent = ''
  $('found').hidden = true
  for (const list of document.querySelectorAll('.rows[id]')) list.replaceChildren()
}

function choose (name) {
  for (const id of ['login', 'register', 'forgot', 'reset']) $(id).hidden = id !== name
  $(name).querySelector('input').focus()
  stopAsking()
  if (name === 'login') offerAtLogin(signIn)
}

function tick () {
  const leftMs = Math.max(0, token.receivedAt + token.lifeMs - Date.now())
  const seconds = Math.ceil(leftMs / 1000)
  $('clock').textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
  Object.assign($('life'), { max: token.lifeMs, value: leftMs })
  tickMails()
}

/** Asks who is logged in, and where. Where the access token has run out, this is what notices. */
async function look () {
  if (!isSignedIn || document.hidden) return
  const [me, list, factors, passkeys] = await Promise.all(
    ['me', 'sessions', 'factors', 'passkeys'].map((what) => call('GET', `/auth/${what}`))).catch(() => [])
  if (!me || !isSignedIn) return
  know(me)
  showFactors(factors)
  showPasskeys(passkeys)
  showRows($('sessions'), $('row'), list.sessions, fill)
  await lookAtInvitations(me).catch(() => {})
}

function fill (row, { current, user_agent: agent, ip, last_used_at: usedAt }) {
  const device = deviceOf(agent ?? '')
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

// What people do

onSubmit('register', async ({ email, ...body }) => {
  await send('POST', '/auth/register', { ...body, ...email && { email }, transport: 'cookie' })
  signIn()
})
onSubmit('login', async (body) => {
  await send('POST', '/auth/login', { ...body, transport: 'cookie' }).catch((error) => {
    if (error.code !== 'ACCOUNTS_FACTOR_REQUIRED') throw error
    return secondStep(error.factors).catch((error) => {
      offerAtLogin(signIn)
      throw error
    })
  })
  signIn()
})

onSubmit('forgot', async ({ username }) => {
  await askForMail('reset', 'POST', '/auth/password/forgot', { username })
  choose('reset')
})
onSubmit('reset', async (body) => {
  await prove('reset', '/auth/password/reset', body)
  choose('login')
  $('notice').textContent = 'Your password is changed. Log in with it.'
})

onClick('send-verify', () => askForMail('verify', 'POST', '/auth/email/verify/send'))
onSubmit('verify', async (body) => {
  await prove('verify', '/auth/email/verify', body)
  $('notice').textContent = 'Your address is verified.'
  $('hello').focus()
  await look()
})

onSubmit('change-email', async ({ email }, form) => {
  await askForMail('confirm-email', 'PUT', '/auth/email', { email })
  form.reset()
  $('next-address').textContent = email
})
$('other-email').addEventListener('click', () => {
  forget('confirm-email')
  $('next-email').focus()
})
onSubmit('confirm-email', async (body) => {
  await prove('confirm-email', '/auth/email/change', body)
  $('notice').textContent = 'Your address is another one now. The one before has got a mail that takes it back.'
  $('hello').focus()
  await look()
})

onSubmit('change-password', async ({ username, ...passwords }) => {
  await call('PUT', '/auth/password', passwords)
  $('change-password').reset()
  $('notice').textContent = 'Your password is changed. All your other sessions have ended.'
  look()
})

onSubmit('close-account', async () => {
  await call('DELETE', '/auth/me')
  signOut('Your account is closed.')
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

onRow($('sessions'), async (row) => {
  const isHere = !row.querySelector('.here').hidden
  await call('DELETE', `/auth/sessions/${row.dataset.id}`)
  if (isHere) return signOut('You are logged out.')
  $('notice').textContent = `${row.querySelector('.device').textContent} is logged out.`
  await look()
  $('sessions-title').focus()
})
offerFactors(look)
offerPasskeys(signIn, look)
offerInvitations(look)

$('close').addEventListener('click', () => $('closing').showModal())
for (const link of document.querySelectorAll('[data-show]')) {
  link.addEventListener('click', () => choose(link.dataset.show))
}

document.addEventListener('visibilitychange', look)
setInterval(tick, 500)
setInterval(look, 3000)

isSignedIn = csrfToken() !== undefined
$('signed-out').hidden = isSignedIn
if (isSignedIn) {
  sendRefresh().then(signIn, (error) => signOut(error.status === 401 ? 'You have been logged out.' : tell(error)))
} else choose('register')
