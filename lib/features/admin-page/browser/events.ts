import { code } from '../code.ts'

/** The events that are kept, and whether anybody has changed them. */
export const events = code`
const link = (id, text) => id && el('a', { href: '#user/' + id }, text)

function eventRow ({ type, user_id: user, actor_id: actor, reason, ip, data, created_at: at }) {
  const about = [timeOf(at), reason, ip, data && JSON.stringify(data)].filter(Boolean).join(' · ')
  return el('li', {}, el('div', {}, el('strong', { tabindex: '-1' }, type), el('p', {}, about)),
    el('p', {}, [link(user, 'user'), link(actor, 'done by')].filter(Boolean).flatMap((each) => [each, ' '])))
}

const eventsOf = (filter) => list({
  label: 'Events',
  empty: 'There are none.',
  load: async (after) => {
    const { events, next } = await call('GET', routes.events + query({ ...filter, after, limit: 25 }))
    return { items: events, next }
  },
  row: eventRow,
})

/** As the server takes times: a field of a form has none of its zone. */
const timeIn = (typed) => typed && new Date(typed).toISOString()

function showEvents (view) {
  const place = el('div')
  const show = ({ after_time: since, before_time: until, ...filter }) =>
    place.replaceChildren(eventsOf({ ...filter, after_time: timeIn(since), before_time: timeIn(until) }))
  const text = (name, label) => field(label, { name, autocapitalize: 'off', spellcheck: 'false' })
  const form = el('form', { role: 'search', class: 'card filters', novalidate: true, on: {
    submit (event) {
      event.preventDefault()
      show(Object.fromEntries(new FormData(form)))
    },
  } },
  text('type', 'Type'), text('user', 'Id of the user'), text('actor', 'Id of who did it'), text('ip', 'Address'),
  field('From', { name: 'after_time', type: 'datetime-local' }),
  field('Until', { name: 'before_time', type: 'datetime-local' }), el('button', {}, 'Filter'))
  show({})
  view.replaceChildren(...[title('Events'), has('verify') && chain(), form, el('div', { class: 'card' }, place)]
    .filter(Boolean))
}

/** Asks part by part, since the server looks at so many at a time. */
function chain () {
  const told = el('p', { role: 'status' })
  const button = el('button', { type: 'button', class: 'plain', on: { click: () => act(button, told, async () => {
    let after
    let entries = 0
    do {
      const part = await call('GET', routes.events + '/verify' + query({ after }))
      entries += part.entries
      if (!part.whole) {
        told.replaceChildren(tag('broken', 'bad'), ' The chain of seals is broken at seal ' + part.broken_at + '.')
        return
      }
      after = part.next ?? undefined
      told.textContent = 'Looked at ' + entries + ' events …'
    } while (after !== undefined)
    told.replaceChildren(tag('whole', 'good'), ' The chain is whole: ' + entries + ' sealed events are as they were.')
  }) } }, 'Check the chain')
  return el('div', { class: 'card' }, el('p', {}, 'Seals show whether somebody has changed or removed events.'),
    told, el('div', { class: 'choices' }, button))
}
`
