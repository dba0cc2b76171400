import swagger from '@fastify/swagger'
import Fastify from 'fastify'
import accounts, { type AccountsOptions } from '../../lib/index.ts'
import { everyRoute } from './whole-app.ts'
import { wrapped } from './markdown.ts'

type Schema = Record<string, any>

interface Operation {
  summary: string
  parameters?: { name: string, in: string, required: boolean, schema: Schema }[]
  requestBody?: { content: Record<string, { schema: Schema }> }
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>
}

/** What an entry of `Routes` says of a request and its answer. */
type Entry = Record<'params' | 'query' | 'body' | 'answer', Set<string>>

/** Routes whose bodies hold fields that the app has added to its users. */
const withFields = ['POST /register', 'POST /register/complete', 'POST /invitations/accept', 'PATCH /me']

/** An account begins by a registration, or by the mail after one: both answers are in the types. */
const apps: AccountsOptions[] = [{ email: { verification: 'none' } }, { email: { verification: 'first' } }]

const note = 'Made by `npm run generate` of the schemas of the routes: what is written here by hand is lost'

/** The module with the types of the client: what each route takes and answers, by its method and path. */
export async function clientRoutes (): Promise<string> {
  const documents = await Promise.all(apps.map(documentOf))
  const components: Record<string, Schema> =
    Object.assign({}, ...documents.map(({ components }) => components.schemas))
  const generic = new Set(Object.keys(components).filter((name) => reaches(components[name]!, components)))
  const print = printer(generic)

  const routes = new Map<string, { summary: string, entry: Entry }>()
  for (const { paths } of documents) {
    for (const [path, methods] of Object.entries<Record<string, Operation>>(paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const name = `${method.toUpperCase()} ${path.slice('/auth'.length)}`
        const entry = routes.get(name)?.entry ?? emptyEntry()
        routes.set(name, { summary: operation.summary, entry: noted(entry, operation, print) })
      }
    }
  }

  // Pages that a browser goes to, which send it on, are nothing to call.
  const callable = [...routes].filter(([, { entry }]) => entry.answer.size > 0)
  const names = Object.keys(components).filter((name) => name !== 'Error')
  return [
    `// ${note}.`,
    ...names.map((name) => {
      const own = generic.has(name) && name !== 'User' ? '<Fields = unknown>' : ''
      return `${docstring(components[name]!.description, '')}export interface ${name}${own} ${print(components[name]!, '')}`
    }),
    '/**\n * What each route takes and answers, by its method and its path below `baseUrl`. `Fields` are those that the ' +
    'app has\n * added to its users.\n */\n' +
    `export interface Routes<Fields = unknown> {\n${callable.map(routeOf).join('\n')}\n}`,
  ].join('\n\n') + '\n'
}

const emptyEntry = (): Entry => ({ params: new Set(), query: new Set(), body: new Set(), answer: new Set() })

async function documentOf (options: AccountsOptions): Promise<Schema> {
  const app = Fastify({ exposeHeadRoutes: false })
  await app.register(swagger, { openapi: { openapi: '3.1.0', info: { title: 'Accounts', version: '1' } } })
  await app.register(accounts, { ...everyRoute, transport: 'both', ...options })
  await app.ready()
  const document = app.swagger() as Schema
  await app.close()
  return document
}

function noted (entry: Entry, { parameters = [], requestBody, responses }: Operation, print: Print): Entry {
  for (const place of ['params', 'query'] as const) {
    const found = parameters.filter((parameter) => parameter.in === (place === 'params' ? 'path' : 'query'))
    if (found.length === 0) continue
    const properties = Object.fromEntries(found.map(({ name, schema }) => [name, schema]))
    const required = found.filter((parameter) => parameter.required).map(({ name }) => name)
    entry[place].add(print({ type: 'object', properties, required }, '    ').replaceAll(' | undefined', ''))
  }
  const body = requestBody?.content['application/json']?.schema
  if (body) entry.body.add(print(body, '    '))
  for (const [status, { content = {} }] of Object.entries(responses)) {
    if (!status.startsWith('2')) continue
    const [media] = Object.values(content)
    entry.answer.add(media ? print(media.schema, '    ') : 'undefined')
  }
  return entry
}

function routeOf ([name, { summary, entry }]: [string, { summary: string, entry: Entry }]): string {
  const members = Object.entries(entry).filter(([, types]) => types.size > 0).map(([member, types]) => {
    const isNeedless = member === 'query' || [...types].some((type) => !/^ {6}\w+: /m.test(type) && type.startsWith('{'))
    const type = [...types].map((type) => withFields.includes(name) && member === 'body' ? fieldsIn(type) : type)
    return `    ${member}${member !== 'answer' && isNeedless ? '?' : ''}: ${type.join(' | ')}`
  })
  return `${docstring(summary, '  ')}  '${name}': {\n${members.join('\n')}\n  }`
}

function fieldsIn (type: string): string {
  return type.startsWith('{') ? `${type} & Partial<Fields>` : 'Partial<Fields>'
}

/** True where the user of the app, with fields of its own, stands in what is described. */
function reaches (schema: Schema, components: Record<string, Schema>): boolean {
  const names = [...JSON.stringify(schema).matchAll(/schemas\/(\w+)"/g)].map(([, name]) => name!)
  return names.some((name) => name === 'User' || reaches(components[name]!, components))
}

type Print = (schema: Schema, indent: string) => string

function printer (generic: Set<string>): Print {
  return function print (schema, indent): string {
    const { $ref, allOf, anyOf, enum: values, type, items, properties, required = [] } = schema
    if ($ref) {
      const name = $ref.split('/').at(-1)
      return name === 'User' ? 'User & Fields' : `${name}${generic.has(name) ? '<Fields>' : ''}`
    }
    if (allOf) return allOf.map((part: Schema) => print(part, indent)).join(' & ')
    if (anyOf) return anyOf.map((part: Schema) => print(part, indent)).join(' | ')
    if (values) return unionOf(values, indent)
    if (Array.isArray(type)) return type.map((each) => print({ ...schema, type: each }, indent)).join(' | ')
    if (type === 'array') {
      const item = print(items, indent)
      return /[|&] /.test(item) && !item.startsWith('{') ? `(${item})[]` : `${item}[]`
    }
    if (properties && Object.keys(properties).length > 0) {
      const members = Object.entries<Schema>(properties).map(([name, part]) => {
        const isNeeded = required.includes(name)
        const typed = print(part, `${indent}  `)
        return `${docstring(part.description, `${indent}  `)}${indent}  ${name}${isNeeded ? '' : '?'}: ${typed}` +
          `${isNeeded ? '' : ' | undefined'}\n`
      })
      return `{\n${members.join('')}${indent}}`
    }
    if (type === 'object') return 'Record<string, unknown>'
    return type === 'integer' ? 'number' : type ?? 'unknown'
  }
}

function unionOf (values: unknown[], indent: string): string {
  const types = values.map((value) => typeof value === 'string' ? `'${value}'` : `${value}`)
  const line = types.join(' | ')
  return line.length < 90 ? line : types.map((type) => `\n${indent}  | ${type}`).join('')
}

function docstring (text: string | undefined, indent: string): string {
  if (!text) return ''
  if (indent.length + text.length + 7 <= 120) return `${indent}/** ${text} */\n`
  return `${indent}/**\n${wrapped(text, `${indent} * `)}\n${indent} */\n`
}
