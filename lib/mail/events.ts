import type { AccountEvent } from '../events/events.ts'

/** What is told of mails. */
export interface MailEvents {
  /** A mail was given up: the server refused it for good, or it could not be sent in time. */
  'mail-failed': AccountEvent & MailFailureDetails
  /** A mail was not sent, since its address had got as many as it may. */
  'mail-suppressed': AccountEvent & { kind: string }
}

/** Which mail, and the class of the error. */
export interface MailFailureDetails {
  kind: string
  error: string
}
