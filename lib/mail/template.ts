import { html } from './html.ts'
import type { MailKind } from './kinds.ts'
import type { KindWords, MailContent, MailData, MailWords } from './texts.ts'

/**
 * A mail as we write it, in plain text and in HTML: what, the button, the code, when and from where, and what to do if
 * it was not you. No image, nothing from elsewhere, and no more than every mail program shows.
 */
export function usualTemplate (data: MailData, words: MailWords): MailContent {
  const kind = words.kinds[data.kind as MailKind]
  const fill = filling(data, words)
  const say = {
    subject: fill(kind.subject),
    what: kind.what.map(fill),
    end: kind.end.map(fill),
    code: data.code === undefined ? undefined : fill(words.code),
    lines: data.message?.split('\n') ?? [],
    facts: [[words.when, moment(data.at)], [words.from, placeOf(data, words)]] as [string, string][],
  }
  return { subject: say.subject, text: textOf(data, kind, words, say), html: htmlOf(data, kind, words, say) }
}

interface Said {
  subject: string
  what: string[]
  end: string[]
  code: string | undefined
  /** Of the message. */
  lines: string[]
  facts: [string, string][]
}

function textOf ({ link, code, disownLink, appName }: MailData, kind: KindWords, words: MailWords, say: Said): string {
  const paragraphs = [
    ...say.what,
    ...say.lines.length > 0 ? [words.message, say.lines.map((line) => `> ${line}`).join('\n')] : [],
    ...link ? [`${kind.action}:\n${link}`] : [],
    ...say.code ? [`${say.code}\n\n    ${code}`] : [],
    say.facts.map(([name, value]) => `${name}: ${value}`).join('\n'),
    ...say.end,
    ...disownLink && kind.disown ? [`${kind.disown}:\n${disownLink}`] : [],
    appName,
  ]
  return `${paragraphs.join('\n\n')}\n`
}

const styles = {
  page: 'margin:0;padding:24px;background:#f4f4f5;color:#18181b;' +
    'font:16px/1.5 -apple-system,BlinkMacSystemFont,Segoe UI,Roboto,Helvetica,Arial,sans-serif',
  card: 'max-width:560px;margin:0 auto;padding:32px;background:#ffffff;border-radius:8px',
  name: 'margin:0 0 24px;font-weight:600',
  button: 'display:inline-block;padding:12px 20px;background:#1d4ed8;color:#ffffff;border-radius:6px;' +
    'text-decoration:none;font-weight:600',
  code: 'margin:8px 0 24px;font:600 28px/1.2 ui-monospace,Menlo,Consolas,monospace;letter-spacing:2px',
  quote: 'margin:0 0 16px;padding:0 0 0 16px;border-left:4px solid #d4d4d8',
  quiet: 'margin:0 0 16px;color:#52525b;font-size:14px',
  link: 'color:#1d4ed8',
}

/** For programs that are dark and know it. Styles of elements are what all know, so these have to win over them. */
const dark = html`<style>@media (prefers-color-scheme: dark) {
body { background: #0f1216 !important; color: #e9ecf0 !important }
body > div { background: #171b21 !important }
a { color: #8fb1ff !important } .button { background: #8fb1ff !important; color: #0d1526 !important }
.quiet { color: #a3acb8 !important } blockquote { border-color: #66707d !important }
}</style>`

const quiet = (text: unknown) => html`<p class="quiet" style="${styles.quiet}">${text}</p>\n`

function htmlOf ({ link, code, disownLink, appName }: MailData, kind: KindWords, words: MailWords, say: Said): string {
  return html`<!doctype html>
<html lang="${words.pages.language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>${say.subject}</title>${dark}</head>
<body style="${styles.page}"><div style="${styles.card}">
<p style="${styles.name}">${appName}</p>
${say.what.map((text) => html`<p>${text}</p>\n`)}${say.lines.length > 0 &&
  html`<p>${words.message}</p>\n<blockquote style="${styles.quote}">${say.lines.map((line, index) =>
  html`${index > 0 && html`<br>`}${line}`)}</blockquote>\n`}${link &&
  html`<p style="margin:24px 0">
<a class="button" href="${link}" style="${styles.button}">${kind.action}</a></p>\n`}${say.code &&
  html`<p>${say.code}</p>\n<p style="${styles.code}">${code}</p>\n`}${quiet(say.facts.map(
  ([name, value], index) => html`${index > 0 && html`<br>`}${name}: ${value}`))}${say.end.map(quiet)}${disownLink &&
  kind.disown && quiet(html`<a href="${disownLink}" style="${styles.link}">${kind.disown}</a>`)}</div></body></html>
`.text
}

/** Fills in what stands in braces. */
function filling ({ appName, address, linkSeconds, codeSeconds, closesAt }: MailData, words: MailWords) {
  const values: Record<string, string> = {
    app: appName,
    address,
    'link-life': durationOf(linkSeconds, words),
    'code-life': durationOf(codeSeconds, words),
    closes: closesAt ? moment(closesAt) : '',
  }
  return (text: string) => text.replaceAll(/\{([\w-]+)\}/g, (braces, name) => values[name] ?? braces)
}

function durationOf (seconds = 0, { minutes, hours, days }: MailWords): string {
  if (seconds % 86400 === 0) return days(seconds / 86400)
  if (seconds % 3600 === 0) return hours(seconds / 3600)
  return minutes(Math.ceil(seconds / 60))
}

/** Of no time zone but the one that everybody can convert: servers do not know that of the reader. */
function moment (at: Date): string {
  return `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

function placeOf ({ ip, browser }: MailData, words: MailWords): string {
  return [ip ?? words.unknownPlace, ...browser ? [`${words.with} ${browser}`] : []].join(' ')
}
