import { isMissing } from '../checks/missing-package.ts'
import { OptionsInvalid } from '../http/errors.ts'
import type { SmtpOptions, SmtpServer } from './options.ts'
import type { Mail, MailTransport } from './transport.ts'

const ownHosts = ['localhost', '127.0.0.1', '::1']

/** What a server is waited for, in ms. */
const limits = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 30_000 }

/** What a refusal was about: only of a mail itself it is for good. */
const aboutTheMail = ['RCPT TO', 'DATA']

/**
 * Sends by SMTP, through nodemailer. Connections are kept, TLS is required but for this machine, and no content is ever
 * read from a file or a URL.
 * @throws {OptionsInvalid} where the package is not installed
 */
export async function createSmtpTransport (server: SmtpServer, mostAtOnce: number): Promise<MailTransport> {
  const { createTransport } = await load()
  const transporter = createTransport({ ...limits, pool: true, maxConnections: mostAtOnce, ...connecting(server) })

  return {
    async send ({ id, from, to, subject, text, html, headers }: Mail, { signal }) {
      // Objects, which it writes into: of text it would make a list of addresses, and of a line break a command.
      const address = { name: '', address: to.address }
      const { messageId } = await transporter.sendMail({
        from: { ...from },
        to: address,
        envelope: { from: from.address, to: [to.address] },
        messageId: `<${id}@${from.address.split('@')[1]}>`,
        headers,
        subject,
        text,
        html,
        signal,
        disableFileAccess: true,
        disableUrlAccess: true,
      }).catch(tellForGood)
      return { messageId }
    },
    close: () => transporter.close(),
  }
}

/**
 * Greets a server as for a mail, with TLS and credentials, and sends none.
 * @throws {OptionsInvalid} where nodemailer is not installed
 * @throws what nodemailer says of a server that would take none, or has not answered in `mostMs`
 */
export async function greetSmtp (server: SmtpServer, mostMs: number): Promise<void> {
  const { createTransport } = await load()
  const each = { connectionTimeout: mostMs, greetingTimeout: mostMs, socketTimeout: mostMs }
  const limit = AbortSignal.timeout(mostMs)
  const late = Promise.withResolvers<never>()
  limit.addEventListener('abort', () => late.reject(limit.reason))
  await Promise.race([createTransport({ ...connecting(server), ...each }).verify(), late.promise])
}

/** Where a server is, as far as that can be told without what it is asked by. */
export function placeOfSmtp (server: SmtpServer): string {
  const { host, port, secure, ...options } = optionsOf(server)
  const usual = secure ? 465 : 587
  return elsewhere(options) ? 'The server of mail.smtp' : `The server ${host ?? 'localhost'}:${port || usual}`
}

/** Whether nobody else is on the way. What names the server in another way may mean any. */
export function isThisMachine (server: SmtpServer): boolean {
  const { host = 'localhost', ...options } = optionsOf(server)
  return ownHosts.includes(host) && !elsewhere(options)
}

function elsewhere ({ url, service, proxy }: SmtpOptions): boolean {
  return Boolean(url ?? service ?? proxy)
}

/** How a server is connected to, as nodemailer takes it. */
function connecting (server: SmtpServer): object {
  const options = optionsOf(server)
  const isLocal = isThisMachine(options)
  return {
    // A server on this machine may have a certificate of its own making, which is no worse than none.
    ...isLocal && !options.secure && { tls: { rejectUnauthorized: false } },
    ...options,
    ...!isLocal && { requireTLS: true },
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

function optionsOf (server: SmtpServer): SmtpOptions {
  return typeof server === 'string' ? readUrl(server) : server
}

async function load () {
  return import('nodemailer').catch((error) => {
    if (!isMissing(error, 'nodemailer')) throw error
    throw new OptionsInvalid('mail.smtp needs the package nodemailer: npm install nodemailer', { cause: error })
  })
}

function readUrl (server: string): SmtpOptions {
  const { hostname, port, protocol, username, password } = new URL(server)
  const secure = protocol === 'smtps:'
  const auth = username && { user: decodeURIComponent(username), pass: decodeURIComponent(password) }
  const host = hostname.replaceAll(/[[\]]/g, '')
  // Without a port nodemailer takes the usual one: 465 for TLS from the beginning, else 587.
  return { host, port: Number(port), secure, ...auth && { auth } }
}

/**
 * Says which refusals are for good: a 5xx to the recipient or the content. A server that has no TLS, or does not know
 * us, has a code of 500 too, and a greylisting and an unknown mailbox have the same name.
 */
function tellForGood (error: { responseCode?: unknown, command?: unknown }): never {
  const isForGood = Number(error.responseCode) >= 500 && aboutTheMail.includes(String(error.command))
  throw Object.assign(error, { permanent: isForGood })
}
