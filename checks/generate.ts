// Writes what editors and docs say of options, which is made of their schemas. With --check it fails where that is not
// current.
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
  'types/options.ts': interfaceOf('AccountsOptions', OptionsSchema, 'types', 'app.register(accounts, options)'),
  'lib/guards/guard-options.ts':
    interfaceOf('GuardOptions', GuardOptionsSchema, 'lib/guards', 'app.accounts.guard(options)'),
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

function interfaceOf (name: string, { properties }: TSchema, folder: string, call: string): string {
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

/** Where nothing is given. A group of options has defaults of its own. */
function usually (schema: TSchema): string {
  const isGroup = 'properties' in schema && !schema.usual
  return isGroup ? '' : ` Default ${defaultOf(schema, "the environment's ") || 'none'}.`
}

function defaultOf (schema: TSchema, before = ''): string {
  const { env, usual, default: value } = schema
  const variable = env && `${before}\`${env}\``
  const fallback = value === undefined || 'properties' in schema ? undefined : `\`${literal(value)}\``
  return [variable, usual ?? fallback].filter(Boolean).join(', then ')
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
  const group = properties && `{\n${membersOf(properties, `${indent}  `)}${indent}}`
  if (group) return type.includes('boolean') ? `false | ${group}` : group
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
  const sections = groups.map(([name, schema]) => {
    const said = schema.description ? wrapped(`${schema.description}${usually(schema)}\n\n`) : ''
    return `## \`${name}\`\n\n${said}${tableOf(rowsOf(schema.properties, `${name}.`))}`
  })
  const tables = [tableOf(rowsOf(Object.fromEntries(single))), ...sections].join('\n\n')
  return read(file).replace(/(?<=^<!-- Made by .* -->\n)[^]*(?=^<!-- Until here -->$)/m, () => `\n${tables}\n\n`)
}

function tableOf (rows: string[]): string {
  return ['| option | default | what it does |', '| --- | --- | --- |', ...rows].join('\n')
}

function choiceOf ({ enum: values }: TSchema): string {
  return values ? ` One of ${values.map((value: unknown) => `\`${literal(value)}\``).join(', ')}.` : ''
}

/** A row for each option that says what it does, and after that of a group those in it. */
function rowsOf (properties: TProperties, prefix = ''): string[] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const inner = 'properties' in schema ? rowsOf(schema.properties, `${prefix}${name}.`) : []
    if (!schema.description) return inner

    const cells = [`\`${prefix}${name}\``, defaultOf(schema) || '–', `${schema.description}${choiceOf(schema)}`]
    return [`| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`, ...inner]
  })
}
