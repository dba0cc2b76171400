import { html, type Html } from '../../mail/html.ts'
import type { FieldText, PagesWords, WrittenPage } from '../../mail/page-words.ts'
import { rows } from './rows.ts'

/** A form as nobody has sent it, or with what was wrong with it. */
export interface FormShown {
  /** Of the link, once it has been sent. */
  token?: string | undefined
  wrong?: string
  /** Whether the code is asked for beside the link. */
  isCodeMissing?: boolean
}

function inputOf (name: string, { label, hint }: FieldText, attributes: Html): Html {
  return html`<label for="${name}">${label}</label>
<input id="${name}" name="${name}" ${attributes} required aria-describedby="${name}-hint">
<p class="hint" id="${name}-hint">${hint}</p>`
}

const ofCode = html`autocomplete="one-time-code" autocapitalize="off" spellcheck="false"`
const ofAddress = html`type="email" autocomplete="email"`

/** Makes the form of a page. Its script takes away what is asked of those who have no link, and brings the rest. */
export function createForms (
  fill: (text: string) => string, minLength: number
): (name: WrittenPage, words: PagesWords, shown: FormShown) => Html {
  return (name, words, { token, wrong, isCodeMissing }) => {
    const { what, action } = words.each[name]
    const { asks } = rows[name]
    const { code, link, codeBeside, address, password } = words.fields
    const isLinked = token !== undefined
    const hint = fill(password.hint)
    const ofPassword = html`type="password" autocomplete="new-password" minlength="${minLength}"`

    return html`<p>${fill(what)}</p>${wrong !== undefined && html`
<p class="wrong" role="alert">${wrong}</p>`}
<form method="post" action="${name}">
<input type="hidden" name="token" value="${token ?? ''}">
${!isLinked && html`<fieldset data-typed>${inputOf('code', asks === 'address' ? link : code, ofCode)}</fieldset>`}
${isCodeMissing && html`<div>${inputOf('code', codeBeside, ofCode)}</div>`}
${asks === 'address' && html`<fieldset data-linked${!isLinked && ' hidden disabled'}>
${inputOf('email', address, ofAddress)}</fieldset>`}
${asks === 'password' && html`<div>${inputOf('new_password', { ...password, hint }, ofPassword)}</div>`}
<button>${action}</button>
</form>`
  }
}
