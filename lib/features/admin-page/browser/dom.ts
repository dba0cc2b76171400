import { code } from '../code.ts'

/** Makes elements. Text is only ever text, whoever has typed it. */
export const dom = code`
const $ = (id) => document.getElementById(id)
const { base, routes, header, loginField, wish, parts } = JSON.parse($('main').dataset.facts)
const has = (part) => parts.includes(part)

function el (name, { on = {}, dataset, ...attributes } = {}, ...children) {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(key, '')
    else if (value !== undefined && value !== false) element.setAttribute(key, value)
  }
  for (const [type, listener] of Object.entries(on)) element.addEventListener(type, listener)
  element.append(...children.flat(2).filter((child) => child !== undefined && child !== false && child !== null))
  return element
}

const timeOf = (date) => date === null || date === undefined
  ? 'never'
  : new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(date))

const nameOf = ({ username, email, id }) => username ?? email ?? id

function notify (text) {
  $('notice').textContent = text
  clearTimeout(notify.timer)
  notify.timer = setTimeout(() => { $('notice').textContent = '' }, 8000)
}

/** Runs an act once at a time, and says in 'where' what kept it from succeeding. */
async function act (element, where, doIt) {
  if (element.ariaBusy === 'true') return
  element.ariaBusy = 'true'
  where.textContent = ''
  try {
    await doIt()
  } catch (error) {
    if (!error.isTold) where.textContent = tell(error)
  }
  element.ariaBusy = 'false'
}
`
