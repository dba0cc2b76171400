import { createHash } from 'node:crypto'
import { html, type Html } from '../../mail/html.ts'
import type { PagesWords, WrittenPage } from '../../mail/page-words.ts'
import { script } from './script.ts'
import { style } from './style.ts'

/** What a page shows: a form, as nobody has sent it or with what was wrong, or that it is done. */
export interface Shown {
  words: PagesWords
  /** Of the link, once it has been sent. */
  token?: string | undefined
  wrong?: string
  isDone?: boolean
}

/** What all pages have in common. */
export interface PageParts {
  appName: string
  /** Where it goes on once it is done. */
  home: string
  minLength: number
}

const hashOf = ({ text }: Html) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** What pages may do beside the little that every page may: run their script, have their style, and send their form. */
export const policy = `script-src ${hashOf(script)}; style-src ${hashOf(style)}; form-action 'self'`

/** Makes the page of a name. Nothing in it was typed by anybody, but for a token of the form of tokens. */
export function createPages ({ appName, home, minLength }: PageParts) {
  const fill = (text: string) => text.replaceAll('{app}', appName).replaceAll('{min}', String(minLength))

  function formOf (name: WrittenPage, { words, token, wrong }: Shown): Html {
    const { what, action } = words.each[name]
    return html`<p>${fill(what)}</p>${wrong !== undefined && html`
<p class="wrong" role="alert">${wrong}</p>`}
<form method="post" action="${name}">
<input type="hidden" name="token" value="${token ?? ''}">${token === undefined && html`
<fieldset data-typed><label for="code">${words.code}</label>
<input id="code" name="code" autocomplete="one-time-code" autocapitalize="off" spellcheck="false" required
 aria-describedby="code-hint"><p class="hint" id="code-hint">${words.codeHint}</p></fieldset>`}
<div><label for="password">${words.password}</label>
<input id="password" name="new_password" type="password" autocomplete="new-password" minlength="${minLength}" required
 aria-describedby="password-hint"><p class="hint" id="password-hint">${fill(words.passwordHint)}</p></div>
<button>${action}</button>
</form>`
  }

  return (name: WrittenPage, shown: Shown): string => {
    const { language, each, goOn } = shown.words
    const { title, done } = each[name]
    return html`<!doctype html>
<html lang="${language}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>${title} – ${appName}</title><style>${style}</style></head>
<body><main><p class="app">${appName}</p><h1>${title}</h1>
${shown.isDone
  ? html`<p role="status">${fill(done)}</p><a class="on" href="${home}">${fill(goOn)}</a>`
  : formOf(name, shown)}
</main><script>${script}</script></body></html>
`.text
  }
}
