import { relative } from 'node:path'
import type { TProperties, TSchema } from '@sinclair/typebox'
import { filesOf, read } from './files.ts'
import { width, wrapped } from './markdown.ts'
import { literal, usually } from './options.ts'

const note = 'Made by `npm run generate` of the options.ts of each folder: what is written here by hand is lost'

/** Types of schemas that are no type of ours. */
const packages: Record<string, string> = { TSchema: '@sinclair/typebox' }

/** A file with the interface of options, for a module in this folder. */
export function interfaceOf (name: string, { properties }: TSchema, folder: string, call: string): string {
  const body = membersOf(properties, '  ')
  const what = docstring(`The options of \`${call}\`. Anything not named here is refused.`, '')
  return `// ${note}.\n${importsOf(body, folder)}\n\n${what}export interface ${name} {\n${body}}\n`
}

function membersOf (properties: TProperties, indent: string): string {
  return Object.entries(properties).map(([name, schema]) => {
    const { description } = schema
    const said = description ? docstring(`${plain(description)}${usually(schema)}`, indent) : ''
    return `${said}${indent}${name}?: ${typeOf(schema, indent)}\n`
  }).join('')
}

/** The TypeScript of what may be given. */
function typeOf (schema: TSchema, indent: string): string {
  const { tsType, enum: values, type, items, properties, patternProperties } = schema
  if (tsType) return tsType
  if (values) return values.map(literal).join(' | ')
  const group = properties && `{\n${membersOf(properties, `${indent}  `)}${indent}}`
  if (group) return type.includes('boolean') ? `${schema.holds(true) ? 'boolean' : 'false'} | ${group}` : group
  if (Array.isArray(type)) return type.map((each) => typeOf({ ...schema, type: each }, indent)).join(' | ')
  if (type === 'array') return `${'properties' in items ? recordOf(items.properties) : typeOf(items, indent)}[]`
  if (patternProperties) return `Record<string, ${typeOf(Object.values<TSchema>(patternProperties)[0]!, indent)}>`
  return type === 'integer' ? 'number' : type
}

/** An object in a list, which is no group of options: all of it has to be given. */
function recordOf (properties: TProperties): string {
  return `{ ${Object.entries(properties).map(([name, part]) => `${name}: ${typeOf(part, '')}`).join(', ')} }`
}

/** Each type that is named, of the one file that exports it. */
function importsOf (body: string, folder: string): string {
  const sources = filesOf('lib/**/*.ts').map((file) => [file, read(file)] as const)
  const types = body.replaceAll(/\/\*\*[^]*?\*\/|'[^']*'/g, '').matchAll(/(?<=\?: .*)\b(?!Record\b)[A-Z]\w+/g)
  const names = [...new Set([...types].map(([name]) => name))].toSorted()

  const imports = Map.groupBy(names, (name) => {
    if (packages[name]) return packages[name]
    const [file] = sources.find(([, text]) => new RegExp(`^export (type|interface) ${name}\\b`, 'm').test(text))!
    const path = relative(folder, file)
    return path.startsWith('.') ? path : `./${path}`
  })
  return [...imports].toSorted().map(([path, names]) => importOf(path, names)).join('\n')
}

function importOf (path: string, names: string[]): string {
  const line = `import type { ${names.join(', ')} } from '${path}'`
  return line.length > width ? `import type {\n${wrapped(names.join(', '), '  ')},\n} from '${path}'` : line
}

/** Markdown as editors show it, which know no pages beside this one. */
function plain (markdown: string): string {
  const link = String.raw`\[([^\]]+)\]\([^)]+\)`
  const said = markdown.replaceAll(new RegExp(String.raw` \(${link}\)`, 'g'), '')
  return said.replaceAll(new RegExp(link, 'g'), '$1').replaceAll('**', '')
}

function docstring (text: string, indent: string): string {
  if (indent.length + text.length + 7 <= width) return `${indent}/** ${text} */\n`
  return `${indent}/**\n${wrapped(text, `${indent} * `)}\n${indent} */\n`
}
