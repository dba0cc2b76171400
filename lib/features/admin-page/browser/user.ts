import { code } from '../code.ts'

/** One user: who they are, what can be done, and their sessions, keys and events. */
export const user = code`
async function showUser (view, id) {
  const user = await call('GET', pathOf(id))
  const changed = () => showUser(view, id)
  const facts = {
    Name: user.username ?? 'none',
    Address: user.email === null ? 'none' : user.email + (user.email_verified ? ', verified' : ', not verified'),
    Roles: user.roles.join(', ') || 'none',
    Since: timeOf(user.created_at),
    'Last sign-in': timeOf(user.last_login_at),
    State: user.disabled_at ? 'disabled since ' + timeOf(user.disabled_at) : 'may sign in',
    Id: el('code', {}, id),
  }
  view.replaceChildren(
    title(nameOf(user), ' ', user.disabled_at && tag('disabled', 'bad')),
    el('div', { class: 'card' },
      el('dl', {}, Object.entries(facts).map(([name, value]) => [el('dt', {}, name), el('dd', {}, value)])),
      el('div', { class: 'choices' }, userActions(user, changed))),
    el('div', { class: 'card', id: 'borrowed', hidden: true }),
    ...[has('sessions') && part('Sessions', sessionsOf(user)), has('keys') && part('API keys', keysOf(user)),
      has('events') && part('Events', eventsOf({ user: id }))].filter(Boolean))
  view.querySelector('h1').focus()
}

const part = (name, ...content) => el('section', { class: 'card', 'aria-label': name }, el('h2', {}, name), ...content)

/** A button that ends something, once that is confirmed. */
function ending ({ action, label, path, done, after, ...said }) {
  return el('button', { type: 'button', class: 'danger', 'aria-label': label, on: {
    click: () => ask({ isDangerous: true, action, ...said, doIt: async () => {
      await call('DELETE', path)
      after()
      return done
    } }),
  } }, action)
}

function sessionsOf (user) {
  const place = el('div')
  const show = () => place.replaceChildren(list({
    label: 'Sessions of ' + nameOf(user),
    empty: 'None goes on.',
    load: async () => ({ items: (await call('GET', pathOf(user.id, '/sessions'))).sessions }),
    row: ({ id, ip, user_agent: agent, last_used_at: usedAt, borrowed }) => el('li', {},
      el('div', {}, el('strong', { tabindex: '-1' }, borrowed ? 'Borrowed by an admin' : agent ?? 'Unknown client'),
        el('p', {}, [ip ?? 'address unknown', 'used ' + timeOf(usedAt)].join(' · '))),
      ending({
        action: 'End',
        label: 'End the session of ' + (agent ?? 'an unknown client') + ', used ' + timeOf(usedAt),
        title: 'End this session of ' + nameOf(user) + '?',
        text: 'Whoever uses it is signed out at once: ' + (agent ?? 'an unknown client') + '.',
        path: pathOf(user.id, '/sessions/' + id),
        done: 'The session is over.',
        after: show,
      })),
  }))
  show()
  return el('div', {}, place, el('div', { class: 'choices' }, ending({
    action: 'End all sessions',
    label: 'End all sessions of ' + nameOf(user),
    title: 'Sign ' + nameOf(user) + ' out everywhere?',
    text: 'They are signed out at once wherever they are, and can sign in again.',
    path: pathOf(user.id, '/sessions'),
    done: 'All sessions are over.',
    after: show,
  })))
}

function keysOf (user) {
  const place = el('div')
  const show = () => place.replaceChildren(list({
    label: 'API keys of ' + nameOf(user),
    empty: 'There are none.',
    load: async () => ({ items: (await call('GET', pathOf(user.id, '/keys'))).keys }),
    row: ({ id, name, hint, scopes, expires_at: expiresAt, last_used_at: usedAt }) => el('li', {},
      el('div', {}, el('strong', { tabindex: '-1' }, name), ' ', el('code', {}, '…' + hint),
        el('p', {}, [scopes.join(', ') || 'no scopes', 'used ' + timeOf(usedAt), 'good until ' + timeOf(expiresAt)]
          .join(' · '))),
      ending({
        action: 'End',
        label: 'End the key ' + name,
        title: 'End the key ' + name + '?',
        text: 'Programs that use it are refused at once. It cannot be taken back.',
        path: pathOf(user.id, '/keys/' + id),
        done: 'The key is over.',
        after: show,
      })),
  }))
  show()
  return place
}
`
