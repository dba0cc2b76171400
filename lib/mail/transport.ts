import type { Mailbox } from './addresses.ts'
import type { AnyMailKind } from './kinds.ts'
import type { MailContent } from './texts.ts'

/** A mail that is ready to be sent. */
export interface Mail extends MailContent {
  /** The same for each try: whoever gets a mail twice can tell. */
  id: string
  kind: AnyMailKind
  to: { address: string }
  from: Mailbox
  headers: Record<string, string>
  locale: string
}

/** What a mail is sent with. */
export interface Sending {
  /** Aborted after 30 seconds: it is tried again later. */
  signal: AbortSignal
  /** The first try is 1. */
  attempt: number
}

/** Sends one mail. An error with `permanent: true` says that it will never be taken. */
export type SendMail = (mail: Mail, sending: Sending) => Promise<{ messageId?: string } | void>

/** How mails leave. */
export interface MailTransport {
  send: SendMail
  close?: () => void
}
