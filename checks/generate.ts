// Writes what editors and docs say of options, which is made of their schemas. With --check it fails where that is not current.
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { TProperties, TSchema } from '@sinclair/typebox'
import { GuardOptionsSchema } from '../lib/guards/options.ts'
import { OptionsSchema } from '../lib/options.ts'

const root = join(import.meta.dirname, '..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')

const width = 120
const note = 'Made by `npm run generate` of the options.ts of each folder: what is written here by hand is lost'

/** Types of schemas that are no type of ours. */
const packages: Record<string, string> = { TSchema: '@sinclair/typebox' }

const made: Record<string, string> = {
  'types/options.ts': interfaceOf('AccountsOptions', OptionsSchema, 'types', 'The options of `app.register(accounts, options)`. Anything not named here is refused.'),
  'lib/guards/guard-options.ts': interfaceOf('GuardOptions', GuardOptionsSchema, 'lib/guards', 'The options of `app.accounts.guard(options)`. Anything not named here is refused.'),
  'docs/options.md': page('docs/options.md', OptionsSchema),
  'docs/guards.md': page('docs/guards.md', GuardOptionsSchema),
}

const stale = Object.entries(made).filter(([file, text]) => read(file) !== text)
for (const [file, text] of stale) {
  if (!process.argv.includes('--check')) {
    writeFileSync(join(root, file), text)
    continue
  }
  console.error(`${file} is not what the options say: npm run generate`)
  process.exitCode = 1
}

function interfaceOf (name: string, { properties }: TSchema, folder: string, what: string): string {
  const body = membersOf(properties, '  ')
  return `// ${note}.\n${importsOf(body, folder)}\n\n${docstring(what, '')}export interface ${name} {\n${body}}\n`
}

function membersOf (properties: TProperties, indent: string): string {
  return Object.entries(properties).map(([name, schema]) => {
    const { description = '' } = schema
    return `${description && docstring(`${plain(description)}${usually(schema)}`, indent)}${indent}${name}?: ${typeOf(schema, indent)}\n`
  }).join('')
}

/** Where nothing is given. A group of options has defaults of its own. */
function usually (schema: TSchema): string {
  const isGroup = 'properties' in schema && !schema.usual
  return isGroup ? '' : ` Default ${defaultOf(schema, "the environment's ") || 'none'}.`
}

function defaultOf (schema: TSchema, before = ''): string {
  const { env, usual, default: value } = schema
  const isGroup = 'properties' in schema
  return [env && `${before}\`${env}\``, usual, value === undefined || isGroup ? undefined : `\`${literal(value)}\``].filter(Boolean).join(', then ')
}

function literal (value: unknown): string {
  if (typeof value === 'string') return `'${value}'`
  return Array.isArray(value) ? `[${value.map(literal).join(', ')}]` : JSON.stringify(value)
}

/** The TypeScript of what may be given. */
function typeOf (schema: TSchema, indent: string): string {
  const { tsType, enum: values, type, items, properties, patternProperties } = schema
  if (tsType) return tsType
  if (values) return values.map(literal).join(' | ')
  if (properties) return `${type.includes('boolean') ? 'false | ' : ''}{\n${membersOf(properties, `${indent}  `)}${indent}}`
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
  const files = globSync('lib/**/*.ts', { cwd: root }).toSorted()
  const sources = files.map((file) => [file, read(file)] as const)
  const types = body.replaceAll(/\/\*\*[^]*?\*\/|'[^']*'/g, '').matchAll(/(?<=\?: .*)\b[A-Z]\w+/g)
  const names = [...new Set([...types].map(([name]) => name))].filter((name) => !(name in globalThis) && name !== 'Record').toSorted()

  const imports = Map.groupBy(names, (name) => {
    if (packages[name]) return packages[name]
    const [file] = sources.find(([, text]) => new RegExp(`^export (type|interface) ${name}\\b`, 'm').test(text))!
    const path = relative(folder, file)
    return path.startsWith('.') ? path : `./${path}`
  })
  return [...imports].map(([path, names]) => `import type { ${names.join(', ')} } from '${path}'`).toSorted().join('\n')
}

/** Markdown as editors show it, which know no pages beside this one. */
function plain (markdown: string): string {
  return markdown.replaceAll(/ \(\[[^\]]+\]\([^)]+\)\)/g, '').replaceAll(/\[([^\]]+)\]\([^)]+\)/g, '$1').replaceAll('**', '')
}

function docstring (text: string, indent: string): string {
  if (indent.length + text.length + 7 <= width) return `${indent}/** ${text} */\n`
  return `${indent}/**\n${wrapped(text, `${indent} * `)}\n${indent} */\n`
}

function wrapped (text: string, indent = ''): string {
  const [first, ...words] = text.split(' ')
  const lines = words.reduce(([line, ...above], word) => {
    const longer = `${line} ${word}`
    return longer.length > width ? [`${indent}${word}`, line!, ...above] : [longer, ...above]
  }, [`${indent}${first}`])
  return lines.toReversed().join('\n')
}

/** The page with its tables made anew between two comments: one of options, and one for each group. */
function page (file: string, { properties }: TSchema): string {
  const options = Object.entries<TSchema>(properties)
  const groups = options.filter(([, schema]) => 'properties' in schema)
  const single = options.filter((option) => !groups.includes(option))
  const sections = groups.map(([name, schema]) => [
    `## \`${name}\``, ...schema.description ? [wrapped(`${schema.description}${usually(schema)}`)] : [], tableOf(rowsOf(schema.properties, `${name}.`)),
  ].join('\n\n'))
  const tables = [tableOf(rowsOf(Object.fromEntries(single))), ...sections].join('\n\n')
  return read(file).replace(/(?<=^<!-- Made by .* -->\n)[^]*(?=^<!-- Until here -->$)/m, () => `\n${tables}\n\n`)
}

function tableOf (rows: string[]): string {
  return ['| option | default | what it does |', '| --- | --- | --- |', ...rows].join('\n')
}

/** A row for each option that says what it does, and after that of a group those in it. */
function rowsOf (properties: TProperties, prefix = ''): string[] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const { description, enum: values } = schema
    const cells = [`\`${prefix}${name}\``, defaultOf(schema) || '–', `${description}${values ? ` One of ${values.map((value: unknown) => `\`${literal(value)}\``).join(', ')}.` : ''}`]
    const inner = 'properties' in schema ? rowsOf(schema.properties, `${prefix}${name}.`) : []
    return [...description ? [`| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`] : [], ...inner]
  })
}
