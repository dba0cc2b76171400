import { startSmtp, type ReceivedMail } from '../../mail/smtp-server.ts'
import type { Ending } from './process.ts'

/** A server of mails for processes, and what they sent to it. */
export async function startMailbox (t: Ending, options: Parameters<typeof startSmtp>[1] = {}) {
  const { received, host, port } = await startSmtp(t, options)
  const mail = {
    from: 'accounts@example.com',
    appName: 'Example',
    smtp: { host, port, socketTimeout: 2000, greetingTimeout: 2000 },
    rate: 1000,
  }
  return {
    received,
    /** The option of the accounts. */
    mail,
    /** What is in the mails to an address, the newest last. */
    to: (address: string) => received.filter(({ to }) => to[0] === address).map(readable),
  }
}

/** The text of a mail, without its encoding. */
function readable ({ raw }: ReceivedMail) {
  const text = raw.replaceAll('=\r\n', '').replaceAll('=3D', '=')
  return {
    id: /^Message-ID: (\S+)/m.exec(text)![1]!,
    token: /[#=]([\w-]{22}\.[\w-]{43})/.exec(text)?.[1],
    code: /^ {4}(\d{4} \d{4})\s*$/m.exec(text)?.[1],
  }
}
