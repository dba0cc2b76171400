// A dialog that asks who it is: for the second factor of a login, and for all that the account asks for where what
// somebody wants to do needs that anew. The ticket between two steps travels in a cookie, as the tokens do.

import { call, page, send } from './api.js'
import { $, onPress, onSubmit } from './forms.js'
import { getPasskey, isThere, stopAsking } from './webauthn.js'

const dialog = $('proving')
const titles = { prove: 'Is it still you?', 'second-step': 'One more step' }

/** How the dialog ends, for whoever waits for it: with tokens, or without. */
let end

/** Opens the dialog with one of its forms, and gives the tokens that it ends with. */
function open (form) {
  const ended = new Promise((resolve, reject) => { end = { resolve, reject } })
  show(form)
  dialog.showModal()
  focus(form)
  return ended
}

function show (form) {
  for (const each of dialog.querySelectorAll('form')) {
    each.reset()
    each.hidden = each.id !== form
    each.querySelector('.answer').textContent = ''
  }
  $('proving-title').textContent = titles[form]
}

const focus = (form) => $(form).querySelector('fieldset:enabled input:not([hidden]), button:not(.cancel)').focus()

function finish (tokens) {
  end.resolve(tokens)
  dialog.close()
}

// Whoever closes it has been told nothing that they do not know.
dialog.addEventListener('close', () => {
  stopAsking()
  end.reject(Object.assign(new Error(), { isTold: true }))
})

/** The second step of a login, with one of these factors. */
export function secondStep (factors) {
  offer(factors)
  return open('second-step')
}

/** Shows the field for a code of the app, or for a recovery code, or none where there is a passkey alone. */
function offer (factors, way = factors.includes('totp') ? 'totp' : 'passkey') {
  for (const each of ['totp', 'recovery']) {
    $(`by-${each}`).hidden = each !== way
    $(`by-${each}`).disabled = each !== way
  }
  $('second-step').querySelector('button:not([type])').hidden = way === 'passkey'
  $('step-by-passkey').hidden = !factors.includes('passkey') || way === 'recovery' || !isThere
  $('step-by-passkey').classList.toggle('plain', way !== 'passkey')
  const other = way === 'recovery' ? undefined : 'recovery'
  $('other-way').hidden = !factors.includes('recovery')
  $('other-way').textContent = other ? 'Use a recovery code' : 'I have no recovery code at hand'
  $('other-way').onclick = () => {
    offer(factors, other)
    focus('second-step')
  }
}

/** A ticket that is over is no matter of a refresh: it begins anew. */
async function verify (askForProof) {
  const tokens = await askForProof().then((proof) => send('POST', '/auth/factors/verify', proof)).catch((error) => {
    if (!error.code?.startsWith('ACCOUNTS_TOKEN_')) throw error
    end.reject(Object.assign(new Error('That took too long. Please begin again.'), { code: 'TOO_LATE' }))
    dialog.close()
    throw Object.assign(error, { isTold: true })
  })
  finish(tokens)
}

const byPasskey = async (reason) => {
  const { credential } = await getPasskey({ for: reason })
  return { credential }
}

onSubmit('second-step', (proof) => verify(async () => proof))
onPress('step-by-passkey', () => verify(() => byPasskey('factor')))
onSubmit('prove', ({ password }) => reauthenticate({ password }))
onPress('prove-by-passkey', async () => reauthenticate(await byPasskey('reauthenticate')))

async function reauthenticate (proof) {
  try {
    finish(await call('POST', '/auth/reauthenticate', proof))
  } catch (error) {
    if (error.code !== 'ACCOUNTS_FACTOR_REQUIRED') throw error
    offer(error.factors)
    show('second-step')
    focus('second-step')
  }
}

let proving

/** Calls that are refused at the same time share one dialog. */
page.prove = () => (proving ??= open('prove').finally(() => { proving = undefined }))
