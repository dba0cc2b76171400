const markup = Symbol('HTML')

/** HTML that stands for itself, where other text is escaped. */
export interface Html { [markup]: string, text: string }

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function written (value: unknown): string {
  if (Array.isArray(value)) return value.map(written).join('')
  if (value === undefined || value === false) return ''
  return (value as Partial<Html>)[markup] ?? String(value).replaceAll(/[&<>"']/g, (character) => escapes[character]!)
}

/** A tag for templates: values are escaped, lists are joined, and undefined and false are nothing. */
export function html (parts: TemplateStringsArray, ...values: unknown[]): Html {
  const text = String.raw({ raw: parts }, ...values.map(written))
  return { [markup]: text, text }
}
