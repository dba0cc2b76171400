/** `: did you mean "…"?` for what was meant by a word that there is not, if that can be guessed. */
export function nearest (word: string, known: string[]): string {
  const [best] = known.map((name) => ({ name, far: distance(word, name) })).toSorted((a, b) => a.far - b.far)
  return best && best.far <= Math.max(2, word.length / 3) ? `: did you mean "${best.name}"?` : ''
}

/** How many letters have to be put in, taken away or changed (Levenshtein), row by row. */
function distance (from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (const [line, letter] of [...from].entries()) {
    const next = [line + 1]
    for (let at = 0; at < to.length; at++) {
      next.push(Math.min(next[at]! + 1, row[at + 1]! + 1, row[at]! + (letter === to[at] ? 0 : 1)))
    }
    row = next
  }
  return row.at(-1)!
}
