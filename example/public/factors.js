// The card of the second factor: the authenticator app and the recovery codes.

import { call } from './api.js'
import { $, act, onClick, onSubmit, timeOf } from './forms.js'
import { isThere } from './webauthn.js'

/** What `GET /auth/factors` answers, in words. */
export function showFactors ({ second_factor: isOn, totp, passkeys, recovery_codes: codes }) {
  $('factors-state').textContent = isOn
    ? 'Your password alone signs nobody in.'
    : 'Your password alone signs you in. With a second factor, whoever has found it out is still kept out.'
  $('totp-state').textContent = totp ? `Set up ${timeOf(totp.created_at)}` : 'Codes that a phone makes'
  $('set-up-totp').textContent = totp ? 'Replace' : 'Set up'
  $('remove-totp').hidden = !totp
  $('recovery-row').hidden = !codes
  if (codes) $('recovery-state').textContent = `${codes.left} left, made ${timeOf(codes.created_at)}`
  $('remove-factors').hidden = !isOn
  $('prove-by-passkey').hidden = passkeys === 0 || !isThere
}

/** The enrolment that the dialog is about. */
let enrolment

/** `look` shows what is there now. */
export function offerFactors (look) {
  onClick('set-up-totp', async () => {
    const { renderSVG } = await import('/uqr.mjs')
    const begun = await call('POST', '/auth/factors/totp', {})
    enrolment = begun.enrolment
    $('qr').src = `data:image/svg+xml,${encodeURIComponent(renderSVG(begun.uri, { border: 2 }))}`
    $('secret').textContent = begun.secret.match(/.{1,4}/g).join(' ')
    $('enrol').reset()
    $('enrol').querySelector('.answer').textContent = ''
    $('enrolling').showModal()
    $('first-code').focus()
  })
  onSubmit('enrol', async ({ code }) => {
    const { recovery_codes: codes } = await call('PUT', '/auth/factors/totp', { enrolment, code })
    $('enrolling').close()
    if (codes) await showCodes(codes)
    await look()
    $('notice').textContent = 'The app is set up. All your other sessions have ended.'
    $('factors-title').focus()
  })
  // What was shown and not used is worth nothing, and leaves the page.
  $('enrolling').addEventListener('close', () => {
    enrolment = undefined
    $('qr').removeAttribute('src')
    $('secret').textContent = ''
  })

  onClick('remove-totp', () => remove('/auth/factors/totp', 'The app is removed.'))
  onClick('remove-factors', () => remove('/auth/factors', 'The second factor is off.'))

  async function remove (path, told) {
    await call('DELETE', path)
    await look()
    $('notice').textContent = `${told} All your other sessions have ended.`
    $('factors-title').focus()
  }

  onClick('new-codes', async () => {
    const { recovery_codes: codes } = await call('POST', '/auth/factors/recovery-codes', {})
    await showCodes(codes)
    await look()
    $('factors-title').focus()
  })
}

const codesText = () => [...$('recovery-codes').children].map(({ textContent }) => textContent).join('\n') + '\n'

/** Shows recovery codes, this once, until somebody says that they have them. */
export function showCodes (codes) {
  $('recovery-codes').replaceChildren(...codes.map((code) => {
    const row = document.createElement('li')
    row.append(Object.assign(document.createElement('code'), { textContent: code }))
    return row
  }))
  $('recovery').showModal()
  $('recovery-title').focus()
  return new Promise((resolve) => {
    $('recovery').addEventListener('close', () => {
      $('recovery-codes').replaceChildren()
      $('recovery-told').textContent = ''
      resolve()
    }, { once: true })
  })
}

/** Not by a slip. */
$('recovery').addEventListener('cancel', (event) => event.preventDefault())
$('kept').addEventListener('click', () => $('recovery').close())
$('print').addEventListener('click', () => print())
$('copy').addEventListener('click', () => act($('copy'), $('recovery-told'), async () => {
  await navigator.clipboard.writeText(codesText()).catch(() => {
    throw new Error('The browser has not allowed it. Please mark the codes, and copy them.')
  })
  $('recovery-told').textContent = 'The codes are copied.'
}))
$('download').addEventListener('click', () => {
  const url = URL.createObjectURL(new Blob([codesText()], { type: 'text/plain' }))
  Object.assign(document.createElement('a'), { href: url, download: 'recovery-codes.txt' }).click()
  URL.revokeObjectURL(url)
})
