import { code } from '../code.ts'

/** What can be done to a user. Each says first what it will do. */
export const userActions = code`
const pathOf = (id, more = '') => routes.users + '/' + encodeURIComponent(id) + more

/** The buttons of a user, as they are now. 'changed' is called once something is done. */
function userActions (user, changed) {
  const { id, roles, disabled_at: disabledAt } = user
  const name = nameOf(user)
  const button = (text, options, isDangerous) => el('button', {
    type: 'button', class: isDangerous ? 'danger' : 'plain', on: { click: () => ask({ isDangerous, ...options }) },
  }, text)
  const then = (text) => async () => {
    await changed()
    return text
  }

  return [
    button('Change roles', {
      title: 'Change the roles of ' + name,
      text: 'From the next request on they may do what these roles allow, and nothing else.',
      action: 'Change roles',
      fields: [field('Roles, with commas between', { name: 'roles', value: roles.join(', '), autocapitalize: 'off' })],
      doIt: async ({ roles }) => {
        const wanted = [...new Set(roles.split(',').map((role) => role.trim()).filter(Boolean))]
        await call('PATCH', pathOf(id), { roles: wanted })
        return then('The roles are changed.')()
      },
    }),
    disabledAt
      ? button('Enable', {
        title: 'Let ' + name + ' sign in again?',
        text: 'They can sign in as before. Sessions that have ended stay ended.',
        action: 'Enable',
        doIt: () => call('PATCH', pathOf(id), { disabled: false }).then(then(name + ' is enabled.')),
      })
      : button('Disable', {
        title: 'Keep ' + name + ' out?',
        text: 'Every session of theirs ends at once, and they cannot sign in until somebody enables them. ' +
          'Nothing is deleted.',
        action: 'Disable',
        doIt: () => call('PATCH', pathOf(id), { disabled: true }).then(then(name + ' is disabled.')),
      }, true),
    has('reset') && button('Force a password reset', {
      title: 'Make ' + name + ' choose another password?',
      text: 'Every session of theirs ends at once. They get a mail, and cannot sign in with the password of now.',
      action: 'Force a reset',
      fields: [field('Reason, for the log', { name: 'reason', maxlength: '200' })],
      doIt: ({ reason }) => call('POST', pathOf(id, '/password-reset'), reason ? { reason } : {})
        .then(then('A mail is on its way to ' + name + '.')),
    }, true),
    has('factors') && button('Remove second factors', {
      title: 'Remove the second factors of ' + name + '?',
      text: 'For somebody who has lost them. Every session of theirs ends at once, and their password alone lets ' +
        'them in until they set up a factor again. Make sure that it is they who ask.',
      action: 'Remove second factors',
      doIt: () => call('DELETE', pathOf(id, '/factors'), {}).then(then('The second factors are removed.')),
    }, true),
    has('impersonate') && button('Act as this user', {
      title: 'Act as ' + name + '?',
      text: ['You get a token for some minutes, which says that it is you. Everything that you do with it is in the ' +
        'log under your name, and ' + name + ' is told.', 'The token is shown once. It opens what the user sees, but ' +
        'neither password nor address.'],
      action: 'Get a token',
      fields: [field('Reason, for the log', { name: 'reason', maxlength: '200', required: true })],
      doIt: async ({ reason }) => {
        const { access_token: token, expires_in: seconds } = await call('POST', pathOf(id, '/impersonate'), { reason })
        await changed()
        $('borrowed').replaceChildren(el('h2', { tabindex: '-1' }, 'A token of ' + name),
          el('p', {}, 'Good for ' + Math.round(seconds / 60) + ' minutes. Send it as Authorization: Bearer.'),
          el('code', { class: 'token', tabindex: '0' }, token))
        $('borrowed').hidden = false
      },
    }),
    button('Delete', {
      title: 'Delete ' + name + ' for good?',
      text: 'The account, its sessions and all that it has here are deleted at once. Nobody can take it back.',
      action: 'Delete for good',
      doIt: async () => {
        await call('DELETE', pathOf(id))
        location.hash = 'users'
        return name + ' is deleted.'
      },
    }, true),
  ]
}
`
