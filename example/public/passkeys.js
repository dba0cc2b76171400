// Passkeys: to sign in, to register, and those that somebody has.

import { call, send, tell } from './api.js'
import { showCodes } from './factors.js'
import { $, onPress, onRow, onSubmit, showRows, timeOf } from './forms.js'
import { createPasskey, getPasskey, isThere } from './webauthn.js'

for (const element of document.querySelectorAll('.with-passkeys')) element.hidden = !isThere

async function logIn (more) {
  const { credential, options } = await getPasskey({ for: 'login' }, more)
  await send('POST', '/auth/passkeys/login', { credential, transport: 'cookie' }).catch(async (error) => {
    // The device need not offer it any more.
    if (error.code === 'ACCOUNTS_PASSKEY_UNKNOWN') {
      await PublicKeyCredential.signalUnknownCredential?.({ rpId: options.rpId, credentialId: credential.id })
    }
    throw error
  })
}

/** A challenge is good for five minutes: the next is there before. */
const renewalMs = 4 * 60_000

/** Offers passkeys among the names of the login form, until somebody does something else. */
export async function offerAtLogin (signIn) {
  if (!isThere || !await PublicKeyCredential.isConditionalMediationAvailable?.()) return
  const renewal = setTimeout(() => offerAtLogin(signIn), renewalMs)
  await logIn({ mediation: 'conditional' }).then(signIn, (error) => {
    // Nobody has pressed anything: what the server says is told, and nothing else.
    if (error.code) $('login').querySelector('.answer').textContent = tell(error)
  })
  clearTimeout(renewal)
}

/** `signIn` goes on with who is signed in, and `look` shows what is there now. */
export function offerPasskeys (signIn, look) {
  onPress('log-in-by-passkey', async () => {
    await logIn().catch((error) => {
      offerAtLogin(signIn)
      throw error
    })
    signIn()
  })

  onPress('register-by-passkey', async () => {
    const [username, email] = [$('new-name'), $('new-email')]
    if (!username.reportValidity() || !email.reportValidity()) return
    const names = { username: username.value, ...email.value && { email: email.value } }
    const { enrolment, credential } = await createPasskey({ for: 'register', ...names })
    const { recovery_codes: codes } = await send('POST', '/auth/register', {
      ...names, enrolment, credential, transport: 'cookie',
    })
    signIn()
    await showCodes(codes)
    $('hello').focus()
  })

  onSubmit('add-passkey', async ({ name }, form) => {
    const { credential } = await createPasskey({ for: 'registration' })
    const { passkey, recovery_codes: codes } = await call('POST', '/auth/passkeys', {
      credential, ...name.trim() && { name },
    })
    form.reset()
    if (codes) await showCodes(codes)
    await look()
    $('notice').textContent = `${passkey.name} is added.`
    $('passkeys-title').focus()
  })

  const acts = {
    rename (row) {
      $('rename').dataset.id = row.dataset.id
      $('passkey-name').value = row.querySelector('.name').textContent
      $('rename').querySelector('.answer').textContent = ''
      $('renaming').showModal()
      $('passkey-name').select()
    },
    async remove (row) {
      const { rp_id: rpId, user_handle: userId, accepted_credential_ids: allAcceptedCredentialIds } =
        await call('DELETE', `/auth/passkeys/${row.dataset.id}`)
      await PublicKeyCredential.signalAllAcceptedCredentials?.({ rpId, userId, allAcceptedCredentialIds })
      await look()
      $('notice').textContent = `${row.querySelector('.name').textContent} is removed.`
      $('passkeys-title').focus()
    },
  }
  onRow($('passkeys'), async (row, { name }) => acts[name](row))
  onSubmit('rename', async ({ name }, form) => {
    await call('PATCH', `/auth/passkeys/${form.dataset.id}`, { name })
    $('renaming').close()
    await look()
  })
}

/** What `GET /auth/passkeys` answers, as a list. */
export function showPasskeys ({ passkeys }) {
  showRows($('passkeys'), $('passkey'), passkeys, (row, { name, backed_up: isSynced, ...times }) => {
    const { created_at: addedAt, last_used_at: usedAt } = times
    row.querySelector('.name').textContent = name
    row.querySelector('.here').hidden = !isSynced
    row.querySelector('.hint').textContent = usedAt ? `Used ${timeOf(usedAt)}` : `Added ${timeOf(addedAt)}, not used yet`
    for (const button of row.querySelectorAll('button')) button.ariaLabel = `${button.textContent} ${name}`
  })
}
