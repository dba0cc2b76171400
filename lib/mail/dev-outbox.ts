import type { Mail, MailTransport } from './transport.ts'

/** A mail that was kept in place of being sent. */
export interface KeptMail extends Mail {
  /** The first is 1. */
  place: number
  sentAt: Date
}

/** Keeps mails in memory, for development and tests. */
export interface DevOutbox extends MailTransport {
  /** The newest last. */
  mails: () => KeptMail[]
  clear: () => void
  /** Has the next so many fail. */
  fail: (error: Error, times: number) => void
}

/** The code in the text of a mail, as digits. Undefined where there is none. */
export function codeIn ({ text }: Pick<Mail, 'text'>): string | undefined {
  return /^ *(\d[\d ]{4,10}\d) *$/m.exec(text)?.[1]!.replaceAll(' ', '')
}

/** How many mails are kept. */
const most = 100

export function createDevOutbox (): DevOutbox {
  let kept: KeptMail[] = []
  let place = 0
  let failures: Error[] = []

  return {
    async send (mail) {
      const failure = failures.pop()
      if (failure) throw failure
      place++
      kept = [...kept, { ...mail, place, sentAt: new Date() }].slice(-most)
    },
    mails: () => [...kept],
    clear: () => { kept = [] },
    fail: (error, times) => { failures = Array<Error>(times).fill(error) },
  }
}
