/** The pages that we write ourselves. */
export const writtenPages = ['reset'] as const
export type WrittenPage = typeof writtenPages[number]

/** What a page says that a link of a mail leads to. `{app}` is filled in. */
export interface PageText {
  title: string
  /** Before the form. */
  what: string
  /** What its button says. */
  action: string
  /** What is said in place of the form once it is done. */
  done: string
}

/** What the pages of a language say. `{min}` is the length that a password has at least. */
export interface PagesWords {
  /** The language that this is, for the page to say. */
  language: string
  each: Record<WrittenPage, PageText>
  /** Names the field for a code. */
  code: string
  /** Says what may be typed there. */
  codeHint: string
  /** Names the field for a new password. */
  password: string
  passwordHint: string
  /** What the link says that leads away from a page that is done. */
  goOn: string
  /** A link or a code that is not good. */
  invalid: string
  /** A code, and nothing that tells whose it is. */
  elsewhere: string
  /** A password that breaks a rule, with the sentence about the rule, which is English. */
  rejected: (sentence: string) => string
  /** Too many tries, or too many at once. */
  later: string
}
