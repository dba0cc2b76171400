export const width = 120

/** The most characters of a cell that are seen: what is longer leaves the other columns no room on a screen. */
const widestCell = 160

export function wrapped (text: string, indent = '', hanging = indent): string {
  const [first, ...words] = text.split(' ')
  const lines = words.reduce(([line, ...above], word) => {
    const longer = `${line} ${word}`
    return longer.length > width ? [`${hanging}${word}`, line!, ...above] : [longer, ...above]
  }, [`${indent}${first}`])
  return lines.toReversed().join('\n')
}

export function table (head: string[], rows: string[][]): string {
  const written = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  const wide = rows.flat().find((cell) => lengthOf(cell) > widestCell)
  if (wide) throw new Error(`No cell of a table holds this: make its first sentence shorter\n${wide}`)
  return [written(head), written(head.map(() => '---')), ...rows.map(written)].join('\n')
}

export function list (entries: string[]): string {
  return entries.map((entry) => wrapped(entry, '- ', '  ')).join('\n')
}

export function firstSentence (text: string): string {
  return sentencesOf(text)[0]!
}

/** As many whole sentences as a cell holds beside what stands at its end, and those that it has no room for. */
export function fitted (text: string, end = ''): { cell: string, rest: string } {
  const sentences = sentencesOf(text)
  if (lengthOf(text) <= widestCell) return { cell: text, rest: '' }

  const lengths = sentences.map((_, index) => lengthOf(`${sentences.slice(0, index + 1).join(' ')}${end}`))
  const count = Math.max(1, lengths.filter((length) => length <= widestCell).length)
  return { cell: `${sentences.slice(0, count).join(' ')}${end}`, rest: sentences.slice(count).join(' ') }
}

/** Without what links lead to. */
function lengthOf (cell: string): number {
  return cell.replaceAll(/\]\([^)]*\)/g, ']').length
}

function sentencesOf (text: string): string[] {
  return text.split(/(?<=[.!?]["*]*) (?=[A-Z*`"])/)
}
