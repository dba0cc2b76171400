/** The pages that we write ourselves. */
export const writtenPages = ['reset', 'verify', 'disown', 'change', 'revert', 'restore'] as const
export type WrittenPage = typeof writtenPages[number]

/** What a page says that a link of a mail leads to. `{app}` is filled in. */
export interface PageText {
  title: string
  /** Before the form. */
  what: string
  /** The label of the button. */
  action: string
  /** What is said in place of the form once it is done. */
  done: string
}

/** What is said of a field. */
export interface FieldText {
  label: string
  hint: string
}

/** What the pages of a language say. */
export interface PagesWords {
  /** The language that this is, for the page to say. */
  language: string
  each: Record<WrittenPage, PageText>
  fields: {
    /** For who has no link: the code of a mail, or its whole link. */
    code: FieldText
    /** For who has no link, of a mail that has no code. */
    link: FieldText
    /** Beside a link that was opened in another browser than the one that asked. */
    codeBeside: FieldText
    /** Beside a link of a mail that has no code. */
    address: FieldText
    /** `{min}` is the length that it has at least. */
    password: FieldText
  }
  /** What is said where a link came alone, or with something else. */
  missing: { code: string, address: string }
  /** In place of `done`, where another mail goes to another address. */
  goesOn: string
  /** An address that somebody else has. */
  taken: string
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
