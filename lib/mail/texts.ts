import type { AnyMailKind, MailKind } from './kinds.ts'
import type { PagesWords } from './page-words.ts'

/** What a mail is made of. Nothing in it was typed by a stranger, and of others nothing but `message`. */
export interface MailData {
  kind: AnyMailKind
  appName: string
  /** The address that it goes to. */
  address: string
  /** When it was asked for, or happened. */
  at: Date
  /** Where from; null where that is not known. */
  ip: string | null
  /** The family of the browser, such as `Firefox on Linux`; null where that is not known. */
  browser: string | null
  /** Where its button leads. Undefined for a notice without one. */
  link?: string
  /** A link by which whoever gets it by mistake says so. */
  disownLink?: string
  /** Digits to type where the mail was asked for, in groups. */
  code?: string
  /** How long the link is good, in seconds. */
  linkSeconds?: number
  /** How long the code is good, in seconds. */
  codeSeconds?: number
  /** What whoever invites has written, of `invite`: plain text in lines, to be escaped in HTML. */
  message?: string
  /** When the account is deleted, of `closing`. */
  closesAt?: Date
  /** What the app gave to `app.accounts.mail.send`. */
  data?: Record<string, unknown>
}

/** The texts of one kind of mails. `{app}`, `{address}`, `{link-life}`, `{code-life}` and `{closes}` are filled in. */
export interface KindWords {
  subject: string
  /** Paragraphs before the button. */
  what: string[]
  /** What its button says. */
  action?: string
  /** Paragraphs at the end: what to do if it was not you. */
  end: string[]
  /** What the link says by which whoever gets it by mistake says so. Without it there is no such link. */
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
