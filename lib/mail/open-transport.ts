import type { MailSettings } from './options.ts'
import type { MailTransport } from './transport.ts'

/**
 * What mails are really sent with: the function of the app's, or SMTP.
 * @throws {OptionsInvalid} for SMTP without nodemailer
 */
export async function openTransport (
  { send, smtp }: Pick<MailSettings, 'send' | 'smtp'>, mostAtOnce: number
): Promise<MailTransport> {
  if (send) return { send }
  const { createSmtpTransport } = await import('./smtp.ts')
  return createSmtpTransport(smtp!, mostAtOnce)
}
