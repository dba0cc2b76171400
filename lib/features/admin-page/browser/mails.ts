import { code } from '../code.ts'

/** Mails that wait, or were given up. */
export const mails = code`
function mailRow ({ id, kind, state, tries, error, created_at: at, user_id: user }) {
  const about = [timeOf(at), tries + (tries === 1 ? ' try' : ' tries'), error].filter(Boolean).join(' · ')
  return el('li', {},
    el('div', {}, el('strong', { tabindex: '-1' }, kind), ' ', tag(state, state === 'failed' ? 'bad' : undefined),
      el('p', {}, about, user && ' · ', link(user, 'user'))),
    state === 'failed' && el('button', { type: 'button', class: 'plain', 'aria-label': 'Send ' + kind + ' again', on: {
      click: () => ask({
        title: 'Send this mail again?',
        text: 'It is sent once more to the address that it was meant for, if what it is about is still good.',
        action: 'Send again',
        doIt: async () => {
          await call('POST', routes.mails + '/' + encodeURIComponent(id) + '/retry')
          await route()
          return 'The mail is on its way.'
        },
      }),
    } }, 'Send again'))
}

function showMails (view) {
  const place = el('div')
  const show = (state) => place.replaceChildren(list({
    label: 'Mails',
    empty: 'There are none.',
    load: async (after) => {
      const { mails, next } = await call('GET', routes.mails + query({ state, after, limit: 25 }))
      return { items: mails, next }
    },
    row: mailRow,
  }))
  const states = { failed: 'Failed', due: 'Waiting', sent: 'Sent' }
  const select = el('select', { id: 'state', on: { change: () => show(select.value) } },
    Object.entries(states).map(([value, text]) => el('option', { value }, text)))
  show('failed')
  view.replaceChildren(title('Mails'),
    el('div', { class: 'card filters' }, el('div', {}, el('label', { for: 'state' }, 'Which'), select)),
    el('div', { class: 'card' }, place))
}
`
