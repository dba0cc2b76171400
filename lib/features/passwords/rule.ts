/** Whose password it is to be. */
export interface Owner {
  username: string | null
  email: string | null
}

/**
 * Says of a password, in NFKC, what it must be and is not, as the end of a sentence: `must have …`. Nothing if it is
 * good.
 */
export type Rule = (
  password: string,
  owner: Owner,
  gone?: AbortSignal,
) => string | undefined | Promise<string | undefined>

/** The fewest characters that can carry a password, whatever stands beside them. */
export const leastCharacters = 8

/** Spaces and signs, as a class of characters: no emoji, which people choose as they choose words. */
export const signs = '\\p{P}\\p{Z}\\p{Sc}\\p{Sk}\\p{Sm}'

/** Text to compare without regard to case. */
export function fold (text: string): string {
  return text.normalize('NFKC').toLowerCase()
}
