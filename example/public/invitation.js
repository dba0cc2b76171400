// The page that an invitation leads to. The token stands in the fragment of the address, which no server and no log
// ever has, and leaves the address bar at once. A gateway of mails may have made `%23` of its `#`.

import { call, csrfToken, send } from './api.js'
import { $, act, onClick, onSubmit, timeOf } from './forms.js'

const [, token] = /(?:#|%23)([\w-]{22}\.[\w-]{43})$/i.exec(location.href) ?? []
history.replaceState(null, '', '/invitation')
addEventListener('hashchange', () => location.reload())

/** Shows what the invitation is about; and to whoever is logged in already, that they may have it as they are. */
async function begin () {
  if (!token) throw new Error('Open the link of the mail once more: an invitation is known by it alone.')
  const { email, expires_at: until } = await send('POST', '/auth/invitations/show', { token })
  $('title').textContent = 'You are invited'
  $('what').textContent = `For ${email}, good until ${timeOf(until)}.`
  const me = csrfToken() && await call('GET', '/auth/me').catch(() => undefined)
  $(me ? 'join' : 'accept').hidden = false
  if (!me) return $('new-name').focus()
  $('me').textContent = me.username
  $('join-title').focus()
}

onSubmit('accept', async (body) => {
  await send('POST', '/auth/invitations/accept', { token, ...body, transport: 'cookie' })
  location.assign('/')
})
onSubmit('join', async () => {
  await call('POST', '/auth/invitations/accept', { token })
  location.assign('/')
})
onClick('log-out', async () => {
  await call('POST', '/auth/logout')
  $('join').hidden = true
  $('accept').hidden = false
  $('new-name').focus()
})

act($('invitation'), $('what'), begin)
