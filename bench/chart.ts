/** A chart with a bar for each name: the first of its kind, ours, stands out. */
export interface Chart {
  title: string
  unit: string
  bars: { label: string, value: number, isOurs: boolean }[]
}

const width = 830
const labelWidth = 400
const rowHeight = 26

/** As SVG, in colours that can be read on white and on black. */
export function barChart ({ title, unit, bars }: Chart): string {
  const most = Math.max(...bars.map(({ value }) => value))
  const scale = (width - labelWidth - 90) / most
  const height = 44 + bars.length * rowHeight
  const rows = bars.flatMap(({ label, value, isOurs }, index) => {
    const y = 38 + index * rowHeight
    const length = Math.max(1, Math.round(value * scale))
    return [
      `  <text x="${labelWidth - 10}" y="${y + 14}" text-anchor="end">${escape(label)}</text>`,
      `  <rect x="${labelWidth}" y="${y}" width="${length}" height="18" rx="3" class="${isOurs ? 'ours' : 'other'}"/>`,
      `  <text x="${labelWidth + length + 8}" y="${y + 14}">${written(value)}</text>`,
    ]
  })

  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(title)}">`,
    '  <style>',
    '    text { font: 13px system-ui, sans-serif; fill: #57606a }',
    '    .title { font-weight: 600 }',
    '    .ours { fill: #1a7f64 }',
    '    .other { fill: #8c959f }',
    '    @media (prefers-color-scheme: dark) ' +
      '{ text { fill: #b1bac4 } .ours { fill: #3fb994 } .other { fill: #6e7681 } }',
    '  </style>',
    `  <text x="0" y="18" class="title">${escape(title)} (${escape(unit)})</text>`,
    ...rows,
    '</svg>',
  ].join('\n')}\n`
}

function written (value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(value >= 10 ? 1 : 2)
}

function escape (text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
