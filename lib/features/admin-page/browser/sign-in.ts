import { code } from '../code.ts'

/** Signs in by a password, and a second factor where one is on; and out. */
export const signIn = code`
let ticket

function showSignIn (wrong = '') {
  const form = $('sign-in')
  ticket = undefined
  form.reset()
  form.hidden = false
  $('view').hidden = $('nav').hidden = $('who').hidden = true
  $('by-password').hidden = false
  $('by-code').hidden = true
  form.querySelector('.wrong').textContent = wrong
  $('identifier').focus()
}

$('sign-in').addEventListener('submit', (event) => {
  event.preventDefault()
  const form = $('sign-in')
  act(form, form.querySelector('.wrong'), async () => {
    try {
      tokens = ticket ? await verifyCode(ticket, form.code.value) : await logIn(form)
    } catch (error) {
      if (error.code !== 'ACCOUNTS_FACTOR_REQUIRED') throw error
      ticket = error.ticket
      $('by-password').hidden = true
      $('by-code').hidden = false
      return $('code').focus()
    }
    form.reset()
    await enter()
  })
})

function logIn (form) {
  const credentials = { [loginField]: form.identifier.value, password: form.password.value }
  return send('POST', routes.login, { ...credentials, ...wish })
}

/** Shows what the account may look at, and nothing where that is nothing. */
async function enter () {
  const views = await allowedViews()
  if (views.length === 0) {
    leave()
    return showSignIn('This account may not look after others.')
  }
  $('name').textContent = nameOf(tokens.user)
  $('sign-in').hidden = true
  $('view').hidden = $('nav').hidden = $('who').hidden = false
  $('nav').replaceChildren(...views.map(({ name, title }) => el('a', { href: '#' + name }, title)))
  await route()
}

/** Ends the session on the server, if that is there. */
function leave () {
  if (routes.logout) send('POST', routes.logout, { refresh_token: tokens.refresh_token }).catch(() => {})
  tokens = undefined
}

function signOut (why) {
  if (!tokens) return
  tokens = undefined
  for (const dialog of document.querySelectorAll('dialog[open]')) dialog.close()
  $('view').replaceChildren()
  showSignIn(why)
}

$('sign-out').addEventListener('click', () => {
  leave()
  $('view').replaceChildren()
  showSignIn()
  notify('You are signed out.')
})
`
