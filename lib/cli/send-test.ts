import { defineCommand } from './command.ts'
import { Refused, UsageWrong } from './errors.ts'
import { optionsOf, settingsOf, targetFlags } from './target.ts'

export const sendTest = defineCommand({
  name: 'mail send-test',
  takes: 'ADDRESS',
  summary: 'Sends a mail as the app would, by mail.smtp or mail.send of its options, and reports whether it was ' +
    'accepted.',
  flags: targetFlags,
  async run ([to], target) {
    const { mailableAddress, placeOfSmtp, sendTestMail, errorName, troubleOf } = await import('./plugin.ts')
    if (mailableAddress(to!) === undefined) throw new UsageWrong('ADDRESS is one as in ada@example.com')
    const { settings: { mail } } = await settingsOf(await optionsOf(target))
    if (!mail) throw new Refused('There is no mail in these options: name those of the app with --config')
    if (!mail.send && !mail.smtp) {
      throw new Refused('Mails are kept in memory by these options, which have no mail.smtp and no mail.send, ' +
        'and there is no ACCOUNTS_SMTP_URL')
    }

    const by = mail.send ? 'mail.send' : placeOfSmtp(mail.smtp!)
    try {
      const id = await sendTestMail(mail, to!)
      return { result: { sent: true, id, to, by }, text: `${by} has taken a mail to ${to} (${id}).` }
    } catch (error) {
      const { code } = Object(error)
      if (code === 'ACCOUNTS_OPTIONS_INVALID') throw error
      throw new Refused(mail.send
        ? `mail.send has not taken it (${errorName(error)})`
        : `${by} has not taken it: ${troubleOf(error)}`)
    }
  },
})
