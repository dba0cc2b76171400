import { code } from '../code.ts'

/**
 * Two dialogs: one says what is about to happen, and does it once that is confirmed; the other has somebody prove who
 * they are. What goes wrong stands in the dialog that it belongs to.
 */
export const dialogs = code`
for (const button of document.querySelectorAll('dialog .cancel')) {
  button.addEventListener('click', () => button.closest('dialog').close())
}

/** 'fields' are elements with names; 'doIt' is given their values, and may give the text of a notice. */
function ask ({ title, text, action, isDangerous = false, fields = [], doIt }) {
  const dialog = $('ask')
  const form = dialog.querySelector('form')
  const wrong = form.querySelector('.wrong')
  const button = $('ask-do')
  $('ask-title').textContent = title
  $('ask-text').replaceChildren(...[text].flat().map((each) => el('p', {}, each)))
  $('ask-fields').replaceChildren(...fields)
  button.textContent = action
  button.className = isDangerous ? 'danger' : ''
  wrong.textContent = ''
  form.ariaBusy = 'false'
  form.onsubmit = (event) => {
    event.preventDefault()
    act(form, wrong, async () => {
      const told = await doIt(Object.fromEntries(new FormData(form)))
      dialog.close()
      if (told) notify(told)
    })
  }
  dialog.showModal()
  const first = $('ask-fields').querySelector('input') ?? dialog.querySelector('.cancel')
  first.focus()
}

let proving

/** Calls that are refused at the same time share one dialog. */
function prove () {
  proving ??= askForProof().finally(() => { proving = undefined })
  return proving
}

function askForProof () {
  const dialog = $('prove')
  const form = dialog.querySelector('form')
  const wrong = form.querySelector('.wrong')
  let ticket
  const showPart = (name) => {
    $('prove-password-part').hidden = name !== 'password'
    $('prove-code-part').hidden = name !== 'code'
    $('prove-' + name).focus()
  }
  return new Promise((resolve, reject) => {
    form.reset()
    $('prove-name').value = nameOf(tokens.user)
    wrong.textContent = ''
    dialog.onclose = () => reject(Object.assign(new Error(), { isTold: true }))
    form.onsubmit = (event) => {
      event.preventDefault()
      act(form, wrong, async () => {
        try {
          tokens = ticket
            ? await verifyCode(ticket, form.code.value)
            : await send('POST', routes.reauthenticate ?? '/', { password: form.password.value })
        } catch (error) {
          if (error.code !== 'ACCOUNTS_FACTOR_REQUIRED') throw error
          ticket = error.ticket
          return showPart('code')
        }
        resolve()
        dialog.close()
      })
    }
    dialog.showModal()
    showPart('password')
  })
}

/** A code of an app has digits alone, a recovery code has letters too. */
function verifyCode (ticket, typed) {
  const text = typed.replaceAll(/\s/g, '')
  const proof = /^\d{6}$/.test(text) ? { code: text } : { recovery_code: text }
  return send('POST', (routes.factors ?? '') + '/verify', { ticket, ...proof })
}

const field = (label, attributes) => {
  const id = 'field-' + attributes.name
  return el('div', {}, el('label', { for: id }, label), el('input', { id, ...attributes }))
}
`
