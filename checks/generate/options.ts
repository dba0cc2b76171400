import type { TProperties, TSchema } from '@sinclair/typebox'
import { fitted, list, table, wrapped } from './markdown.ts'

/** Where nothing is given. A group of options has defaults of its own. */
export function usually (schema: TSchema): string {
  return isGroup(schema) && !schema.usual ? '' : ` Default ${defaultOf(schema, "the environment's ") || 'none'}.`
}

export function literal (value: unknown): string {
  if (typeof value === 'string') return `'${value}'`
  return Array.isArray(value) ? `[${value.map(literal).join(', ')}]` : JSON.stringify(value)
}

/**
 * All options: a table of the single ones, and a section for each group. `pageOf` knows which page tells all of one.
 */
export function allOptions ({ properties }: TSchema, pageOf: (name: string) => string | undefined): string {
  const { single, groups } = sorted(properties)
  const sections = groups.map(([name, schema]) => {
    const page = pageOf(name)
    const text = page ? `${page} tells all of it.\n\n${tableOf(schema.properties, `${name}.`)}` : groupOf(name, schema)
    return `## \`${name}\`\n\n${text}`
  })
  return [tableWithRest(single, '', pageOf), ...sections].join('\n\n')
}

/** All of some options, with a heading for each group where there are several. */
export function optionsOf ({ properties }: TSchema, names: string[]): string {
  const { single, groups } = sorted(Object.fromEntries(names.map((name) => [name, properties[name]])))
  const isAlone = names.length === 1
  const sections = groups.map(([name, schema]) => `${isAlone ? '' : `### \`${name}\`\n\n`}${groupOf(name, schema)}`)
  return [...Object.keys(single).length > 0 ? [tableWithRest(single)] : [], ...sections].join('\n\n')
}

/** Options that are no groups. */
export function tableWithRest (
  properties: TProperties, prefix = '', pageOf: (name: string) => string | undefined = () => undefined
): string {
  const rest = rowsOf(properties, prefix).flatMap(({ name, text }) => {
    const more = pageOf(name) ? '' : fitted(text).rest
    return more ? [`\`${name}\`: ${more}`] : []
  })
  const rows = tableOf(properties, prefix, (name) => pageOf(name) ? ` (${pageOf(name)})` : '')
  return rest.length > 0 ? `${rows}\n\nMore of these:\n\n${list(rest)}` : rows
}

function groupOf (name: string, schema: TSchema): string {
  const said = schema.description ? wrapped(`${schema.description}${usually(schema)}\n\n`) : ''
  return `${said}${tableWithRest(schema.properties, `${name}.`)}`
}

function tableOf (properties: TProperties, prefix: string, endOf: (name: string) => string = () => ''): string {
  const rows = rowsOf(properties, prefix).map(({ name, usual, text }) =>
    [`\`${name}\``, usual, fitted(text, endOf(name)).cell])
  return table(['option', 'default', 'what it does'], rows)
}

/** Each option that says what it does, and after that of a group those in it. */
function rowsOf (properties: TProperties, prefix: string): { name: string, usual: string, text: string }[] {
  return Object.entries(properties).flatMap(([key, schema]) => {
    const name = `${prefix}${key}`
    const inner = isGroup(schema) ? rowsOf(schema.properties, `${name}.`) : []
    const { description } = schema
    return description
      ? [{ name, usual: defaultOf(schema) || '–', text: `${description}${choiceOf(schema)}` }, ...inner]
      : inner
  })
}

function sorted (properties: TProperties): { single: TProperties, groups: [string, TSchema][] } {
  const options = Object.entries<TSchema>(properties)
  return {
    single: Object.fromEntries(options.filter(([, schema]) => !isGroup(schema))),
    groups: options.filter(([, schema]) => isGroup(schema)),
  }
}

function isGroup (schema: TSchema): boolean {
  return 'properties' in schema
}

function defaultOf (schema: TSchema, before = ''): string {
  const { env, usual, default: value } = schema
  const variable = env && `${before}\`${env}\``
  const fallback = value === undefined || isGroup(schema) ? undefined : `\`${literal(value)}\``
  return [variable, usual ?? fallback].filter(Boolean).join(', then ')
}

function choiceOf ({ enum: values }: TSchema): string {
  return values ? ` One of ${values.map((value: unknown) => `\`${literal(value)}\``).join(', ')}.` : ''
}
