import type { SmtpServer } from './options.ts'
import { isMissing } from '../checks/missing-package.ts'
import { OptionsInvalid } from '../http/errors.ts'
import type { Mail, MailTransport } from './transport.ts'

const hosts = ['localhost', '127.0.0.1', '::1', '[::1]']

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
  const { host, options } = readServer(server)
  const transporter = createTransport({
    ...limits,
    pool: true,
    maxConnections: mostAtOnce,
    requireTLS: !hosts.includes(host),
    ...options,
    disableFileAccess: true,
    disableUrlAccess: true,
  } as object)

  return {
    async send ({ id, from, to, subject, text, html, headers }: Mail) {
      // As objects: of text nodemailer would make a list of addresses, and of a line break a command.
      const address = { name: '', address: to.address }
      const { messageId } = await transporter.sendMail({
        from,
        to: address,
        envelope: { from: from.address, to: [to.address] },
        messageId: `<${id}@${from.address.split('@')[1]}>`,
        headers,
        subject,
        text,
        html,
        disableFileAccess: true,
        disableUrlAccess: true,
      }).catch(tellForGood)
      return { messageId }
    },
    close: () => transporter.close(),
  }
}

async function load () {
  return import('nodemailer').catch((error) => {
    if (!isMissing(error, 'nodemailer')) throw error
    throw new OptionsInvalid('mail.smtp needs the package nodemailer: npm install nodemailer', { cause: error })
  })
}

function readServer (server: SmtpServer): { host: string, options: object } {
  if (typeof server !== 'string') return { host: server.host ?? 'localhost', options: server }
  const { hostname, port, protocol, username, password } = new URL(server)
  const secure = protocol === 'smtps:'
  const auth = username && { user: decodeURIComponent(username), pass: decodeURIComponent(password) }
  const host = hostname.replaceAll(/[[\]]/g, '')
  return { host, options: { host, port: Number(port) || (secure ? 465 : 587), secure, ...auth && { auth } } }
}

/**
 * Says which refusals are for good: a 5xx to the recipient or the content. A server that has no TLS, or does not know
 * us, has a code of 500 too, and a greylisting and an unknown mailbox have the same name.
 */
function tellForGood (error: { responseCode?: unknown, command?: unknown }): never {
  const isForGood = Number(error.responseCode) >= 500 && aboutTheMail.includes(String(error.command))
  throw Object.assign(error, { permanent: isForGood })
}
