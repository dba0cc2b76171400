import { OptionsInvalid } from '../http/errors.ts'
import { mailKinds } from './kinds.ts'
import type { PagesWords } from './page-words.ts'
import { de } from './texts/de.ts'
import { en } from './texts/en.ts'
import type { MailLocales, MailWords, PartialPagesWords, PartialWords } from './texts.ts'

/** The texts of all languages. */
export interface Locales {
  wordsOf: (locale: string) => MailWords
  /**
   * The language there are texts for that fits best: the first that is there of what the app and then the browser ask
   * for, in the order of its weights, else English.
   */
  choose: (wanted: string | undefined, acceptLanguage: string | undefined) => string
}

/**
 * Puts the texts of the app over those of ours.
 * @throws {OptionsInvalid} for a language of which there are not all texts
 */
export function createLocales (own: MailLocales = {}): Locales {
  const all: Record<string, MailWords> = { en, de }
  for (const [language, words] of Object.entries(own)) all[language.toLowerCase()] = merged(language, words, all)

  function find (tag: string): string | undefined {
    const whole = tag.trim().toLowerCase()
    return [whole, whole.split('-')[0]!].find((name) => Object.hasOwn(all, name))
  }

  return {
    wordsOf: (locale) => all[find(locale) ?? 'en']!,

    choose (wanted, acceptLanguage = '') {
      const asked = acceptLanguage.slice(0, 256).split(',').map((part) => {
        const [tag = '', weight = ''] = part.split(';')
        return { tag, weight: Number(/^\s*q=([\d.]+)$/.exec(weight)?.[1] ?? 1) }
      }).toSorted((one, other) => other.weight - one.weight)
      return [wanted ?? '', ...asked.map(({ tag }) => tag)].map(find).find((name) => name !== undefined) ?? 'en'
    },
  }
}

function merged (language: string, words: PartialWords, all: Record<string, MailWords>): MailWords {
  const base = all[language.toLowerCase()]
  const kinds = { ...base?.kinds, ...words.kinds }
  const pages = mergedPages(base?.pages ?? en.pages, words.pages)
  const missing = [
    ...mailKinds.filter((kind) => !kinds[kind]).map((kind) => `kinds.${kind}`),
    ...Object.keys(en).filter((name) => !(name in { ...base, ...words, pages })),
  ]
  if (missing.length > 0) throw new OptionsInvalid(`mail.locales.${language} lacks ${missing.join(', ')}`)
  return { ...base, ...words, kinds, pages } as MailWords
}

function mergedPages (base: PagesWords, { each, fields, missing, ...words }: PartialPagesWords = {}): PagesWords {
  return {
    ...base,
    ...words,
    each: { ...base.each, ...each },
    fields: { ...base.fields, ...fields },
    missing: { ...base.missing, ...missing },
  }
}
