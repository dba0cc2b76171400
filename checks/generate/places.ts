import { filesOf, read } from './files.ts'

/** What stands in docs/ between two comments, of which the first says what it is made of. */
export const block =
  /(?<=^<!-- Made by `npm run generate` of (.+): what is written here by hand is lost -->\n)[^]*?(?=^<!-- Until here -->$)/gm

/** A page of docs/ without what is made of others. */
interface Page { file: string, title: string, sections: { heading: string, text: string }[] }

const pages = filesOf('docs/*.md').map((file): Page => {
  const [top = '', ...sections] = read(file).replace(block, '').split(/^## /m)
  return {
    file: file.replace('docs/', ''),
    title: /^# (.+)/.exec(top)![1]!,
    sections: sections.map((section) => ({ heading: section.split('\n', 1)[0]!, text: section })),
  }
})

/** Names of sections that tell of one kind of thing each, a row of a table or an entry of a list for each thing. */
export type Kind = 'Routes' | 'Services' | 'Errors' | 'Events' | 'Hooks'

/** A link to the one section of this name, of whatever page, that tells of a thing. */
export function placeOf (kind: Kind, name: string): string {
  const places = pages.flatMap(({ file, title, sections }) => {
    const telling = sections.filter(({ heading, text }) => heading.startsWith(kind) && namesIn(text).includes(name))
    return telling.map(({ heading }) => `[${title}](${file}#${heading.toLowerCase().replaceAll(' ', '-')})`)
  })
  if (places.length === 1) return places[0]!
  throw new Error(
    `${name} stands in ${places.length} sections "${kind}" in docs/: ${places.join(', ') || 'write it into one'}`
  )
}

/** What rows of tables begin with, and entries of lists that begin with a call, without what it is called with. */
function namesIn (text: string): string[] {
  return [...text.matchAll(/^(?:\| |- (?=`\w+\())((?:`[^`]+`(?:, )?)+)/gm)].flatMap(([, codes]) =>
    [...codes!.matchAll(/`([^`]+)`/g)].map(([, code]) => code!.split('(')[0]!))
}

/** A link to the page that tells all of an option, if it is another than docs/options.md. */
export function pageOfOption (name: string): string | undefined {
  const claims = filesOf('docs/*.md').flatMap((file) =>
    [...read(file).matchAll(block)].map(([, what]) => ({ file, what: what! }))
  )
  const claim = claims.find(({ what }) => optionsIn(what).includes(name))
  const page = claim && pages.find(({ file }) => `docs/${file}` === claim.file)
  return page && `[${page.title}](${page.file}#options)`
}

/** The options that a block is made of, where it is made of some. */
export function optionsIn (what: string): string[] {
  return what.startsWith('the options ') ? what.replace('the options ', '').split(/, | and /) : []
}
