import { html, type Html } from '../../mail/html.ts'
import type { ShownMail } from './shown-mail.ts'

/** What the page may do: a mail has its styles in its elements, so that no hash can name them. It runs no script. */
export const policy = "style-src 'unsafe-inline'; form-action 'none'"

const style = html`
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif }
body { max-width: 52rem; margin: 0 auto; padding: 1.5rem 1rem; overflow-wrap: anywhere }
details { margin-top: 1rem; border: 1px solid #8886; border-radius: .75rem; padding: .75rem 1rem }
summary { cursor: pointer; font-weight: 600 }
summary small { display: block; font-weight: 400; opacity: .75 }
b { font: 600 1.25rem ui-monospace, Menlo, Consolas, monospace; letter-spacing: .1em }
iframe { width: 100%; height: 36rem; border: 1px solid #8886; border-radius: .5rem; background: #fff;
  color-scheme: light }
pre { white-space: pre-wrap; font: .875rem/1.5 ui-monospace, Menlo, Consolas, monospace }
`

/** The mails, the newest first and open. */
export function outboxPage (mails: ShownMail[]): string {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>Outbox</title><style>${style}</style></head>
<body><h1>Outbox</h1>
<p>The last mails, kept here in place of being sent. Load the page again for those that have come since. An address gets
one mail that somebody asks for in a minute: the next one comes later.</p>
${mails.length === 0 && html`<p>There are none yet.</p>`}${mails.toReversed().map(article)}</body></html>
`.text
}

function article (mail: ShownMail, index: number): Html {
  const { kind, to, sent_at: sentAt, subject, links, code, text, html: written } = mail
  return html`<details${index === 0 && ' open'}><summary>${subject}<small>to ${to}, ${kind}, ${sentAt}</small></summary>
${links.map((link) => html`<p><a href="${link}" target="_blank" rel="noreferrer">${link}</a></p>
`)}${code !== undefined && html`<p>Code: <b>${code}</b></p>
`}<iframe sandbox title="${subject}" srcdoc="${written}"></iframe>
<pre>${text}</pre></details>
`
}
