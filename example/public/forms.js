// What the pages of the example have in common: forms that say what is wrong, and lists.

import { tell } from './api.js'

export const $ = (id) => document.getElementById(id)

/** Where to mend what was refused. */
const fields = {
  ACCOUNTS_FACTOR_INVALID: 'fieldset:enabled input, [name=code]',
  ACCOUNTS_PASSWORD_REJECTED: '[autocomplete=new-password]',
  ACCOUNTS_PROOF_INVALID: '[name=code]',
}

function fieldOf ({ code, field }) {
  return fields[code] ?? (field ? `[name=${field}]` : '[autocomplete=current-password]')
}

/** Runs an act once at a time, and says in `where` what kept it from succeeding. */
export async function act (element, where, doIt) {
  if (element.ariaBusy === 'true') return
  element.ariaBusy = 'true'
  for (const place of [where, $('notice')]) place.textContent = ''
  await doIt().catch((error) => {
    if (error.isTold) return
    where.textContent = tell(error, element.dataset.wrong)
    element.querySelector(fieldOf(error))?.select()
  })
  element.ariaBusy = 'false'
}

export function onSubmit (id, submit) {
  const form = $(id)
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    act(form, form.querySelector('.answer') ?? $('notice'), () => submit(Object.fromEntries(new FormData(form)), form))
  })
}

/** What a button of a form does that does not send it. */
export function onPress (id, doIt) {
  const { form } = $(id)
  $(id).addEventListener('click', () => act(form, form.querySelector('.answer'), doIt))
}

export const onClick = (id, doIt) => $(id).addEventListener('click', () => act($(id), $('notice'), doIt))

for (const button of document.querySelectorAll('dialog .cancel')) {
  button.addEventListener('click', () => button.closest('dialog').close())
}

/** Shows a list. A row stays the same element, so that whoever is on its button stays there. */
export function showRows (list, template, items, fill) {
  const rows = new Map([...list.children].map((row) => [row.dataset.id, row]))
  for (const item of items) {
    const row = rows.get(item.id) ?? list.appendChild(template.content.firstElementChild.cloneNode(true))
    row.dataset.id = item.id
    fill(row, item)
  }
  for (const [id, row] of rows) if (!items.some((item) => item.id === id)) row.remove()
}

/** What the button of a row does. */
export function onRow (list, doIt) {
  list.addEventListener('click', ({ target }) => {
    const row = target.closest('button')?.closest('li')
    if (row) act(target, $('notice'), () => doIt(row, target))
  })
}

export function timeOf (date) {
  if (Math.abs(Date.now() - Date.parse(date)) < 60000) return 'just now'
  return new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(date))
}
