import type { Mailbox } from './addresses.ts'
import type { AnyMailKind } from './kinds.ts'
import type { MailContent } from './texts.ts'

/** A mail that is ready to be sent. */
export interface Mail extends MailContent {
  /** The id of the mail, the same for each attempt, so that duplicates can be recognized. */
  id: string
  kind: AnyMailKind
  to: { address: string }
  from: Mailbox
  headers: Record<string, string>
  locale: string
}

/** More about an attempt to send a mail. */
export interface Sending {
  /** Aborted after 30 seconds; the mail is tried again later. */
  signal: AbortSignal
  /** The number of the attempt, from 1. */
  attempt: number
}

/** Sends one mail. An error with `permanent: true` means that it will never be accepted. */
export type SendMail = (mail: Mail, sending: Sending) => Promise<{ messageId?: string } | void>

/** How mails leave. */
export interface MailTransport {
  send: SendMail
  close?: () => void
}
