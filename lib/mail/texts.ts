import type { AnyMailKind, MailKind } from './kinds.ts'
import type { PagesWords } from './page-words.ts'

/** The data of a mail. Nothing in it was typed by a stranger; only `message` was typed by somebody else. */
export interface MailData {
  kind: AnyMailKind
  appName: string
  /** The address of the recipient. */
  address: string
  /** When the mail was requested, or the event happened. */
  at: Date
  /** The IP address of the request; null if it is not known. */
  ip: string | null
  /** The family of the browser, such as `Firefox on Linux`; null if it is not known. */
  browser: string | null
  /** The URL of the button. Undefined for a notice without one. */
  link?: string
  /** A link for people who receive the mail by mistake. */
  disownLink?: string
  /** The code to type where the mail was requested, in groups of digits. */
  code?: string
  /** How long the link is valid, in seconds. */
  linkSeconds?: number
  /** How long the code is valid, in seconds. */
  codeSeconds?: number
  /** For `invite`, the message of the inviter: plain text with line breaks, to be escaped in HTML. */
  message?: string
  /** For `closing`, when the account will be deleted. */
  closesAt?: Date
  /** The data that the app passed to `app.accounts.mail.send`. */
  data?: Record<string, unknown>
}

/** The texts of one kind of mails. `{app}`, `{address}`, `{link-life}`, `{code-life}` and `{closes}` are filled in. */
export interface KindWords {
  subject: string
  /** Paragraphs before the button. */
  what: string[]
  /** The label of the button. */
  action?: string
  /** Paragraphs at the end: what to do if it was not you. */
  end: string[]
  /** The label of the link for people who receive the mail by mistake. Without it there is no such link. */
  disown?: string
}

/** The texts of a language. */
export interface MailWords {
  kinds: Record<MailKind, KindWords>
  /** Before the code. */
  code: string
  /** Before what whoever invites has written. */
  message: string
  when: string
  from: string
  /** In place of an address that is not known. */
  unknownPlace: string
  /** Between a place and a browser. */
  with: string
  /** So many minutes, counted as the language counts them. */
  minutes: (count: number) => string
  /** So many hours, counted as the language counts them. */
  hours: (count: number) => string
  /** So many days, counted as the language counts them. */
  days: (count: number) => string
  /** What the pages say that links lead to. */
  pages: PagesWords
}

/** Some of what the pages of a language say. */
export type PartialPagesWords = {
  [Name in keyof PagesWords]?: PagesWords[Name] extends string | ((...given: never[]) => string)
    ? PagesWords[Name]
    : Partial<PagesWords[Name]>
}

/** Texts by language: a part of one that is there, or all of another. */
export type MailLocales = Record<string, PartialWords>

/** Some of the texts of a language. Pages of a language that has none for them are English. */
export type PartialWords = Partial<Omit<MailWords, 'kinds' | 'pages'>> & {
  kinds?: Partial<Record<MailKind, KindWords>>
  pages?: PartialPagesWords
}

/** A mail's subject, and its text in both forms. */
export interface MailContent {
  subject: string
  text: string
  html: string
}

/** Mails of the app's own, by kind: in place of ours, or of a kind of its own. */
export type MailTemplates = Partial<Record<AnyMailKind, (data: MailData, words: MailWords) => MailContent>>
