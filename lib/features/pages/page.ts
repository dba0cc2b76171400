import { createHash } from 'node:crypto'
import { html, type Html } from '../../mail/html.ts'
import type { PagesWords, WrittenPage } from '../../mail/page-words.ts'
import { createForms, type FormShown } from './form.ts'
import { script } from './script.ts'
import { style } from './style.ts'

/** What a page shows: its form, or that it is done. */
export interface Shown extends FormShown {
  words: PagesWords
  isDone?: boolean
  /** Whether it goes on by another mail. */
  goesOn?: boolean
}

/** What all pages have in common. */
interface PageParts {
  appName: string
  /** Where it goes on once it is done. */
  home: string
  /** How long a password is at least. */
  minLength: number
}

const hashOf = ({ text }: Html) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** What pages may do beside the little that every page may: run their script, have their style, and send their form. */
export const policy = `script-src ${hashOf(script)}; style-src ${hashOf(style)}; form-action 'self'`

/** Makes the page of a name. Nothing in it was typed by anybody, but for a token of the form of tokens. */
export function createPages ({ appName, home, minLength }: PageParts): (name: WrittenPage, shown: Shown) => string {
  const fill = (text: string) => text.replaceAll('{app}', appName).replaceAll('{min}', String(minLength))
  const formOf = createForms(fill, minLength)

  return (name, shown) => {
    const { words, isDone, goesOn, ...form } = shown
    const { title, done } = words.each[name]
    return html`<!doctype html>
<html lang="${words.language}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>${title} – ${appName}</title><style>${style}</style></head>
<body><main><p class="app">${appName}</p><h1>${title}</h1>
${isDone
  ? html`<p role="status">${goesOn ? words.goesOn : fill(done)}</p><a class="on" href="${home}">${fill(words.goOn)}</a>`
  : formOf(name, words, form)}
</main><script>${script}</script></body></html>
`.text
  }
}
