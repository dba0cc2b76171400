// How a page has the browser ask for a passkey, or make one. Options come from the server, and what the browser answers
// goes back to it as JSON.

import { call, send } from './api.js'

/** Whether the browser knows passkeys, and their JSON. */
export const isThere = 'parseRequestOptionsFromJSON' in (globalThis.PublicKeyCredential ?? {})

const words = {
  NotAllowedError: 'No passkey was chosen.',
  InvalidStateError: 'This device has a passkey of this account already.',
}

/** A browser has one question at a time: whoever asks the next one ends that which waits at the login form. */
let question = new AbortController()

export const stopAsking = () => question.abort()

async function ask (what, wanted) {
  stopAsking()
  const { signal } = question = new AbortController()
  // Who is signed in may have to prove first who they are.
  const sendFor = ['reauthenticate', 'registration'].includes(wanted.for) ? call : send
  const { options, ...more } = await sendFor('POST', '/auth/passkeys/options', wanted)
  const credential = await what(options, signal).catch((error) => {
    throw Object.assign(new Error(words[error.name] ?? error.message), { isTold: error.name === 'AbortError' })
  })
  return { ...more, options, credential: credential.toJSON() }
}

/** Has somebody choose a passkey: with `mediation: 'conditional'` among the names that the browser fills in. */
export const getPasskey = (wanted, more) => ask((options, signal) => navigator.credentials.get({
  publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options), signal, ...more,
}), wanted)

/** Has the device make a passkey. */
export const createPasskey = (wanted) => ask((options, signal) => navigator.credentials.create({
  publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options), signal,
}), wanted)
