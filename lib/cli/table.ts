/** Rows in columns, for people. What others have typed, such as a user agent, must not steer the terminal. */
export function table (rows: string[][]): string {
  const cells = rows.map((row) => row.map((cell) => cell.replaceAll(/\p{C}/gu, '\u{FFFD}')))
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => [...row[column]!].length)))
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell + ' '.repeat(widths[column]! - [...cell].length))
        .join('  ')
        .trimEnd()
    )
    .join('\n')
}

export function moment (time: Date | null): string {
  return time ? `${time.toISOString().slice(0, 16).replace('T', ' ')} UTC` : '–'
}
