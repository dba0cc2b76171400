import { html, type Html } from '../../mail/html.ts'

/** A tag for text that stands in the page as it is written, backslashes included: no values go into it. */
export function code ({ raw }: TemplateStringsArray): Html {
  return html(raw as unknown as TemplateStringsArray)
}
