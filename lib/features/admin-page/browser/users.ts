import { code } from '../code.ts'

/** A list that goes on in pages, and the users. */
export const users = code`
/** A list of rows, and a button for more of them while there are any. 'load' gives { items, next }. */
function list ({ label, empty, load, row }) {
  const rows = el('ul', { class: 'rows', 'aria-label': label })
  const wrong = el('p', { class: 'wrong', role: 'alert' })
  const more = el('button', { type: 'button', class: 'plain', hidden: true, on: { click: () => go() } }, 'Show more')
  let after

  async function go () {
    await act(more, wrong, async () => {
      const { items, next } = await load(after)
      const first = items.map(row)
      rows.append(...first)
      if (rows.children.length === 0) rows.append(el('li', {}, el('p', {}, empty)))
      if (after && first[0]) first[0].querySelector('a, button, strong')?.focus()
      after = next ?? undefined
      more.hidden = after === undefined
    })
  }
  go()
  return el('div', {}, rows, wrong, el('div', { class: 'choices' }, more))
}

const tag = (text, kind) => el('span', { class: 'tag ' + (kind ?? '') }, text)

function userRow (user) {
  const { id, email, roles, disabled_at: disabledAt, created_at: createdAt } = user
  const about = [user.username ? email : null, roles.join(', '), 'since ' + timeOf(createdAt)].filter(Boolean)
  return el('li', {},
    el('div', {}, el('a', { href: '#user/' + id }, nameOf(user)), el('p', {}, about.join(' · '))),
    disabledAt && tag('disabled', 'bad'))
}

function showUsers (view) {
  const users = list({
    label: 'Users',
    empty: 'There are none.',
    load: async (after) => {
      const { users, next } = await call('GET', routes.users + query({ after, limit: 25 }))
      return { items: users, next }
    },
    row: userRow,
  })
  view.replaceChildren(title('Users'), el('div', { class: 'card' }, users))
}

const title = (text, ...more) => el('h1', { tabindex: '-1' }, text, ...more)
`
