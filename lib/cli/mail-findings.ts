import { loopback } from '../checks/loopback.ts'
import type { Opened } from '../database/open.ts'
import { forkOf } from '../database/transactions.ts'
import { MailRow } from '../mail/entity.ts'
import { pageNames } from '../mail/kinds.ts'
import { ownPages } from '../mail/options.ts'
import { greetSmtp, isThisMachine, placeOfSmtp } from '../mail/smtp.ts'
import { troubleOf } from '../mail/smtp-trouble.ts'
import type { Settings } from '../settings.ts'
import type { Check, Finding } from './finding.ts'

/** Domains of documents, of tests and of one network alone (RFC 2606, 6761 and 6762): no mail comes from there. */
const nobodys = /(^|\.)(example\.(com|net|org)|example|test|invalid|localhost|local)$/i

type Mail = NonNullable<Settings['mail']>

const isSent = (mail: Mail | undefined) => Boolean(mail?.send ?? mail?.smtp)
/** Whether mails leave this machine, as far as can be known. */
const leaves = ({ send, smtp }: Mail) => send !== undefined || (smtp !== undefined && !isThisMachine(smtp))

const isHere = (base: string | undefined) => base !== undefined && loopback.test(new URL(base).origin)

/** Whether a link leads to a page of ours, and the base ends with what is put before each of these. */
function isPrefixTwice ({ mail, prefix }: Settings): boolean {
  if (!mail?.links.base || prefix === '') return false
  const hasOurPages = mail.pages && pageNames.some((name) => !ownPages.includes(name) && mail.links[name] === undefined)
  return hasOurPages && new URL(mail.links.base).pathname.endsWith(prefix)
}

export const mailRules: Check[] = [
  [
    'remark',
    ({ settings: { mail } }) => mail !== undefined && !isSent(mail),
    'Mails are kept in memory, for development: in production the app does not start.',
    'Set mail.smtp (or ACCOUNTS_SMTP_URL), or mail.send, and try it with `fastify-jwt-accounts mail send-test`.',
  ],
  [
    'error',
    ({ settings: { mail } }) => mail !== undefined && leaves(mail) && nobodys.test(mail.from.address.split('@')[1]!),
    'Mails come from a domain that belongs to nobody, so servers refuse them or treat them as spam.',
    'Set mail.from to an address of your own domain.',
  ],
  [
    'warning',
    ({ settings: { mail } }) => isSent(mail) && mail?.links.base === undefined,
    'Links in mails lead to this machine, because mail.links.base is not set: in production the app does not start.',
    'Set mail.links.base to the address of your pages, such as https://app.example.com.',
  ],
  [
    'error',
    ({ settings: { mail }, isLive }) => isLive && isHere(mail?.links.base),
    'Links in mails lead to the machine of their reader: mail.links.base is localhost, in production.',
    'Set mail.links.base to the address of your pages, such as https://app.example.com.',
  ],
  [
    'error',
    ({ settings }) => isPrefixTwice(settings),
    'Links in mails contain the prefix of the routes twice and are broken: mail.links.base ends with it.',
    'Remove the prefix from mail.links.base: links to built-in pages add it.',
  ],
]

/** How long a server is waited for. */
const mostMs = 5000

/** Greets the SMTP server, if mails go there: it is sent none. */
export async function smtpFindings ({ mail }: Settings): Promise<Finding[]> {
  if (!mail?.smtp) return []
  try {
    await greetSmtp(mail.smtp, mostMs)
    return []
  } catch (error) {
    const { code, message } = error as Error & { code?: string }
    return code === 'ACCOUNTS_OPTIONS_INVALID'
      ? [{ level: 'error', finding: `${message}.`, remedy: 'Without it the app does not start.' }]
      : [{
          level: 'error',
          finding: `${placeOfSmtp(mail.smtp)} takes no mails from here: ${troubleOf(error)}.`,
          remedy: 'Check that mail.smtp, or ACCOUNTS_SMTP_URL, has the right host, port, user and password, and ' +
            'that no firewall blocks the connection. Nothing is sent without TLS except to this machine itself.',
        }]
  }
}

/** A mail that waits for longer is of nobody's use who is waiting for it. */
const mostWaitingMs = 3_600_000

/** What has become of the mails of the last month. */
export async function waitingFindings ({ orm }: Pick<Opened, 'orm'>): Promise<Finding[]> {
  const count = (where: object) => forkOf(orm).count(MailRow, where, { connectionType: 'write' })
  const failed = await count({ failedAt: { $ne: null } })
  const since = new Date(Date.now() - mostWaitingMs)
  const waiting = await count({ dueAt: { $ne: null }, createdAt: { $lt: since } })
  const found: [count: number, what: string, remedy: string][] = [
    [failed, 'were given up in the last month',
      '`fastify-jwt-accounts mail list --state failed` says why, and `mail retry` sends one again.'],
    [waiting, 'wait for more than an hour',
      'Check that a process of the app runs without mail.worker: false; `fastify-jwt-accounts mail list --state ' +
      'due` shows the last error.'],
  ]
  return found.filter(([count]) => count > 0).map(([count, what, remedy]) => ({
    level: 'warning', finding: `Mails ${what}: ${count}.`, remedy,
  }))
}
