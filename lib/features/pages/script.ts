import { html } from '../../mail/html.ts'

/**
 * The script of all pages, which stands in each. It takes the token out of the address, where a gateway of mails may
 * have made `%23` of the `#`, puts it into the form, and leaves the rest to whoever presses the button. Without it the
 * form takes a code.
 */
export const script = html`
const [form] = document.forms
function take () {
  const [, token] = /(?:#|%23|[?&]token=)([\\w-]{22}\\.[\\w-]{43})(?![\\w-])/i.exec(location.href) ?? []
  if (!token) return
  history.replaceState(null, '', location.pathname.replace(/%23.*/i, ''))
  form.elements.token.value = token
  for (const part of form.querySelectorAll('fieldset')) part.hidden = part.disabled = 'typed' in part.dataset
}
if (form) {
  take()
  addEventListener('hashchange', take)
  form.addEventListener('submit', (event) => {
    if (form.ariaBusy) event.preventDefault()
    form.ariaBusy = 'true'
  })
  addEventListener('pageshow', () => { form.ariaBusy = null })
}
`
