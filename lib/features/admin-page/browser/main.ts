import { code } from '../code.ts'

/** Which view is shown stands in the fragment of the address, so that the browser goes back and forth. */
export const main = code`
const views = [
  { name: 'users', title: 'Users', show: showUsers, path: routes.users },
  ...has('events') ? [{ name: 'events', title: 'Events', show: showEvents, path: routes.events }] : [],
  ...has('mails') ? [{ name: 'mails', title: 'Mails', show: showMails, path: routes.mails }] : [],
]
let allowed = []

/** Asks for one of each: what is refused is not shown. */
async function allowedViews () {
  const asked = await Promise.all(views.map(async (view) => {
    const isAllowed = await call('GET', view.path + query({ limit: 1 })).then(() => true, (error) => {
      if (error.status === 403) return false
      throw error
    })
    return isAllowed && view
  }))
  allowed = asked.filter(Boolean)
  return allowed
}

async function route () {
  if (!tokens) return
  const [name, id] = location.hash.slice(1).split('/')
  const chosen = allowed.find((view) => view.name === name) ?? allowed[0]
  const isUser = name === 'user' && id
  for (const each of $('nav').children) {
    const isCurrent = each.hash === '#' + (isUser ? 'users' : chosen.name)
    if (isCurrent) each.ariaCurrent = 'page'
    else each.removeAttribute('aria-current')
  }
  const view = $('view')
  try {
    if (isUser) await showUser(view, decodeURIComponent(id))
    else chosen.show(view)
  } catch (error) {
    if (error.isTold) return
    view.replaceChildren(title('That did not work'), el('p', { class: 'wrong', role: 'alert' }, tell(error)))
  }
  view.querySelector('h1').focus()
}

addEventListener('hashchange', route)
showSignIn()
`
