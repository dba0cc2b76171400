import fc from 'fast-check'

/** As much of JSON Schema as our routes use. */
export interface Schema {
  type?: string
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  anyOf?: Schema[]
  enum?: unknown[]
  const?: unknown
  format?: string
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
}

const formats: Record<string, fc.Arbitrary<string>> = {
  'date-time': fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  date: fc
    .date({ noInvalidDate: true, min: new Date('0001-01-01'), max: new Date('9999-12-31') })
    .map((date) => date.toISOString().slice(0, 10)),
}

/** What people type, and what attackers do. */
export const texts = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.constantFrom(
    '',
    ' ',
    '\0',
    '\ud800',
    '\u202e',
    '__proto__',
    'constructor',
    '%',
    '%E0%A4%A',
    '\r\nSet-Cookie: a=b',
    "' or 1=1 --",
    '{"$ne":null}',
    '../../etc/passwd',
    'a@b.example',
    'a@b.example,c@d.example',
    'ａｄａ',
    'İ',
    'ß',
    'ada',
    'correct horse battery staple',
    '-1',
    '1e999',
    'NaN',
    'null'
  ),
  fc.integer({ min: 0, max: 9000 }).map((length) => 'a'.repeat(length))
)

/** A value that the schema takes, as far as it says. */
export function valid (schema: Schema): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map(valid))
  switch (schema.type) {
    case 'object':
      return fc.record(
        Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, inner]) => [name, valid(inner)])),
        { requiredKeys: schema.required ?? [] }
      )
    case 'array':
      return fc.array(valid(schema.items ?? {}), { maxLength: 4 })
    case 'boolean':
      return fc.boolean()
    case 'integer':
      return fc.integer({ min: schema.minimum ?? -5, max: schema.maximum ?? 5000 })
    case 'number':
      return fc.double()
    case 'null':
      return fc.constant(null)
    case 'string':
      return (
        formats[schema.format!] ??
        fc.oneof(
          texts,
          fc.string({ unit: fc.constantFrom(...'abcdefgh'), minLength: schema.minLength ?? 1, maxLength: 30 })
        )
      )
    default:
      return fc.jsonValue()
  }
}

/** Anything at all, some of it as deep as a parser may go. */
export const hostile = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  texts,
  fc.integer({ min: 1, max: 3000 }).map((depth) => JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as unknown),
  fc.constantFrom<unknown>([], {}, null, 0, true, { __proto__: null }, [[]], ['correct horse battery staple'])
)

/** A value that is right but for one thing: a field too many, too few, or of another kind. */
export function nearlyValid (schema: Schema): fc.Arbitrary<unknown> {
  const names = Object.keys(schema.properties ?? {})
  const spoilt = fc.oneof(
    fc.constantFrom(...names, 'id', 'roles', 'passwordHash', 'disabled', '__proto__', 'constructor'),
    texts
  )
  return fc.tuple(valid(schema), spoilt, fc.oneof(hostile, fc.constant(undefined))).map(([value, name, other]) =>
    Object.fromEntries([...Object.entries(value as object), [name, other]]))
}
