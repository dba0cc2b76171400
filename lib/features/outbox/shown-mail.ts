import { codeIn, type KeptMail } from '../../mail/dev-outbox.ts'

/** A mail as the outbox shows it. */
export interface ShownMail {
  id: string
  kind: string
  to: string
  sent_at: string
  subject: string
  /** Where its links lead, in their order. */
  links: string[]
  /** As digits. */
  code?: string
  text: string
  html: string
}

export function shownMail (mail: KeptMail): ShownMail {
  const { id, kind, to, sentAt, subject, text, html } = mail
  const links = text.match(/https?:\/\/\S+/g) ?? []
  const code = codeIn(mail)
  return {
    id,
    kind,
    to: to.address,
    sent_at: sentAt.toISOString(),
    subject,
    links,
    ...code !== undefined && { code },
    text,
    html,
  }
}
