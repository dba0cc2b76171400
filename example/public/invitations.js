// What admins see of invitations.

import { call } from './api.js'
import { $, onClick, onRow, onSubmit, showRows, timeOf } from './forms.js'

/** Lists those that are good, for an admin. */
export async function lookAtInvitations ({ roles }) {
  const isAdmin = roles.includes('admin')
  $('for-admins').hidden = !isAdmin
  $('for-others').hidden = isAdmin
  if (!isAdmin) return
  const { invitations } = await call('GET', '/auth/invitations')
  showRows($('guests'), $('guest'), invitations, (row, { email, roles, expires_at: until }) => {
    row.querySelector('.address').textContent = email
    row.querySelector('.role').textContent = roles.join(', ')
    row.querySelector('.role').hidden = roles.length === 0
    row.querySelector('.until').textContent = `good until ${timeOf(until)}`
    row.querySelector('button').ariaLabel = `Withdraw ${email}`
  })
  $('no-guests').hidden = invitations.length > 0
}

/** `look` shows what is there now. */
export function offerInvitations (look) {
  onClick('become-admin', async () => {
    await call('POST', '/become-admin')
    await look()
    $('guest-address').focus()
  })

  onSubmit('invite', async ({ email, role }, form) => {
    await call('POST', '/auth/invitations', { email, ...role && { roles: [role] } })
    form.reset()
    $('notice').textContent = `${email} is invited. The mail lies in the outbox.`
    await look()
  })

  onRow($('guests'), async (row) => {
    await call('DELETE', `/auth/invitations/${row.dataset.id}`)
    $('notice').textContent = `${row.querySelector('.address').textContent} is not invited any more.`
    await look()
    $('invitations-title').focus()
  })
}
