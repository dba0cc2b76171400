// Mails that this page asks for, and the codes that are in them.

import { call } from './api.js'
import { $, act } from './forms.js'

/** What was asked for, by the form that takes its code. */
const asked = {}

/**
 * Asks for a mail, and opens the form that takes its code. Whoever asks again shows the challenge of before: then the
 * same code is sent again, and of mails that overtake each other each is good.
 */
export async function askForMail (form, method, path, body = {}) {
  const { challenge_id: challenge, resend_in: seconds } = await call(method, path, body)
  if (!challenge) return
  const again = () => askForMail(form, method, path, { ...body, challenge_id: challenge })
  asked[form] = { challenge, again, againAt: Date.now() + seconds * 1000 }
  tickMails()
  $(form).hidden = false
  $(form).code.focus()
}

/** Shows a code together with the challenge, without which it is worth nothing to anybody. */
export async function prove (form, path, body) {
  await call('POST', path, { ...body, challenge_id: asked[form]?.challenge })
  forget(form)
}

/** Closes a form that takes a code. */
export function forget (form) {
  delete asked[form]
  $(form).reset()
  $(form).hidden = true
}

/** A mail may be asked for again a while after the one before. */
export function tickMails () {
  for (const [form, { againAt }] of Object.entries(asked)) {
    const seconds = Math.ceil((againAt - Date.now()) / 1000)
    const button = $(form).querySelector('.again')
    button.disabled = seconds > 0
    button.textContent = seconds > 0 ? `Again in ${seconds} s` : 'Send again'
  }
}

for (const button of document.querySelectorAll('.again')) {
  button.addEventListener('click', () => act(button, $('notice'), async () => {
    await asked[button.form.id].again()
    $('notice').textContent = 'It is sent once more, with the same code.'
  }))
}
