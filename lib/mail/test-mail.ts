import { v7 as uuid } from 'uuid'
import { html } from './html.ts'
import { openTransport } from './open-transport.ts'
import type { MailSettings } from './options.ts'
import { transmit } from './transmit.ts'

/**
 * Sends a mail at once, and in no transaction, by which whoever looks after an app sees that its mails leave. It holds
 * no link, and is in no table. Gives its id, which its `Message-ID` begins with.
 * @throws {OptionsInvalid} for SMTP without nodemailer
 * @throws what the transport rejects with
 */
export async function sendTestMail (settings: MailSettings, address: string): Promise<string> {
  const { appName, from } = settings
  const id = uuid()
  const what = `Mails of ${appName} leave as they should. This one was sent from the command line, for a test.`
  const transport = await openTransport(settings, 1)
  try {
    await transmit(transport, {
      id,
      kind: 'test',
      to: { address },
      from: { ...from },
      subject: `A test of the mails of ${appName}`,
      text: `${what}\n`,
      html: html`<p>${what}</p>`.text,
      headers: { 'Auto-Submitted': 'auto-generated' },
      locale: 'en',
    }, 1)
    return id
  } finally {
    transport.close?.()
  }
}
