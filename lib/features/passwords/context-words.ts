import { fold, leastCharacters, signs, type Rule } from './rule.ts'

/** Shorter words are in everything. */
const leastWord = 3

const fillers = new RegExp(`[\\p{Nd}${signs}]`, 'gu')

/**
 * Refuses what is built on words that belong to the user or to the app (NIST SP 800-63B-4 §3.1.1.2, ASVS 6.2.11): the
 * user's name, both parts of the address without the last label of the domain, the words given, and the pieces of each
 * between digits, spaces and signs. A password that holds one of 3 characters or more is refused when fewer than 8
 * characters are left without all of them and without digits, spaces and signs.
 */
export function createContextRule (words: string[]): Rule {
  const ofTheApp = words.flatMap(wordsIn)

  return (password, { username, email }) => {
    const [local, domain] = email?.split('@') ?? []
    const ofTheUser = [username, local, domain?.replace(/\.[^.]*$/, '')].flatMap((text) => wordsIn(text ?? ''))
    // The longest first: a short one may be a part of it.
    const sorted = [...ofTheApp, ...ofTheUser].toSorted((one, other) => other.length - one.length)

    const text = fold(password)
    const rest = sorted.reduce((left, word) => left.replaceAll(word, ' '), text)
    if (rest === text || [...rest.replace(fillers, '')].length >= leastCharacters) return undefined
    return 'must not be built on the user name, the e-mail address or a word of this service'
  }
}

/** A text and its pieces, those that are long enough. */
function wordsIn (text: string): string[] {
  const folded = fold(text)
  return [folded, ...folded.split(fillers)].filter((word) => [...word].length >= leastWord)
}
