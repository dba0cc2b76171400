import { ask } from '../../host/ask.ts'
import { fold, leastCharacters, signs, type Rule } from './rule.ts'

/** 49,233 passwords in lower case and ASCII, read when the first password is judged: that takes 10 ms. */
const load = () => import('@zxcvbn-ts/language-common/src/passwords.json', { with: { type: 'json' } })

/** What is typed by sliding over a keyboard, in either direction; letters and digits beside each other need no list. */
const rows = ['90', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm', 'qwertzuiop', 'yxcvbnm', 'azertyuiop', 'qsdfghjklm', 'wxcvbn']
const neighbours = new Set(
  rows.flatMap((row) => [...row.slice(1)].flatMap((key, index) => [`${row[index]}${key}`, `${key}${row[index]}`]))
)

const signsAround = around(signs)
const digitsAround = around(`\\p{Nd}${signs}`)
const everySign = new RegExp(`[${signs}]`, 'gu')

/**
 * Refuses what everybody tries first, as a whole and without regard to case; what is only a part of a longer phrase
 * counts for nothing (NIST SP 800-63B-4 §3.1.1.2). A password is refused
 *
 * - as common, when it is on the list, or is one on the list over and over; both also without the spaces and signs, or
 *   these and the digits, at its ends and at the ends of what is repeated (`password12345678`, `Password!Password!`);
 * - as a repetition, when fewer than 8 characters over and over make it up, or, if those are 8 characters at least,
 *   what is left without the digits, spaces and signs at its ends (`abcabcabcabcabc`); the last time may be cut short;
 * - as a row, when without spaces and signs it falls into pieces of 4 characters or more in which each is beside the
 *   one before: the same, the next or the last one by code point, 9 and 0, or on a row of a keyboard
 *   (`qwertyuiop123456`).
 */
export function createBlocklist (): Rule {
  let list: string[] | undefined

  return async (password) => {
    const text = fold(password)
    if (isRepetition(text) || isRepetition(text.replace(digitsAround, ''))) {
      return 'must not repeat a few characters'
    }
    if (isMadeOfRows(text)) return 'must not be a sequence of letters, digits or keys'

    list ??= (await ask(load)).default
    const isCommon = formsOf(text).some((form) => list!.includes(form))
    return isCommon
      ? 'must not be a common password, not even repeated or with digits and punctuation around it'
      : undefined
  }
}

/** The text itself, what it repeats, and each without what stands around it. */
function formsOf (text: string): string[] {
  const forms = barer(text).flatMap((form) => [form, repeatedIn(form)]).flatMap(barer)
  return [...new Set(forms)]
}

function barer (text: string): string[] {
  return [text, text.replace(signsAround, ''), text.replace(digitsAround, '')]
}

/** These characters at both ends. What looks behind keeps a search from beginning again within a long row of them. */
function around (characters: string): RegExp {
  return new RegExp(`^[${characters}]+|(?<![${characters}])[${characters}]+$`, 'gu')
}

/**
 * The beginning that the rest only says again, the last time maybe without its end; all of it if there is none. What
 * begins a text and ends it too overlaps itself by what is left before it (Knuth, Morris and Pratt): for each place
 * this keeps how much of the beginning ends there, so that the longest text costs one pass.
 */
function repeatedIn (text: string): string {
  const overlaps: number[] = [0]
  let overlap = 0
  for (const character of text.slice(1).split('')) {
    while (overlap > 0 && character !== text[overlap]) overlap = overlaps[overlap - 1]!
    if (character === text[overlap]) overlap++
    overlaps.push(overlap)
  }
  const size = text.length - overlap
  return 2 * size <= text.length + 1 ? text.slice(0, size) : text
}

function isRepetition (text: string): boolean {
  return [...text].length >= leastCharacters && [...repeatedIn(text)].length < leastCharacters
}

function isMadeOfRows (text: string): boolean {
  const characters = [...text.replace(everySign, '')]
  const steps = characters.map((character, index) => areNeighbours(characters[index - 1], character) ? '-' : '|')
  return /^(\|-{3,})+$/.test(steps.join(''))
}

function areNeighbours (one: string | undefined, other: string): boolean {
  if (one === undefined) return false
  return Math.abs(one.codePointAt(0)! - other.codePointAt(0)!) <= 1 || neighbours.has(`${one}${other}`)
}
