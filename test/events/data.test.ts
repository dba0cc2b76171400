import { Kind, Type, type TSchema } from '@sinclair/typebox'
import t from 'tap'
import { createReadData, maskedAddress } from '../../lib/events/data.ts'
import { partsOf, personalNames, withoutPersonal } from '../../lib/events/personal.ts'
import { mailData } from '../../lib/mail/events.ts'
import { sessionData } from '../../lib/sessions/events.ts'
import { features } from '../../lib/features.ts'
import { createInput } from '../../lib/http/input.ts'
import type { AnyFeature } from '../../lib/features/feature.ts'

const cards: readonly AnyFeature[] = features
const schemas: Record<string, TSchema> = Object.assign(
  {}, sessionData, mailData, ...cards.map(({ eventData }) => eventData)
)

t.test('what is told of an event has the form of its type, or is left out', (t) => {
  const logged: unknown[] = []
  const log = { error: (what: unknown) => { logged.push(what) } }
  const left = Type.Object({ left: Type.Integer() }, { additionalProperties: false })
  const read = createReadData({ used: left }, createInput((compile) => compile()), log)
  t.same(read('used', { left: 9, code: undefined }), { left: 9 })
  t.same(logged, [])
  for (const data of [{ left: 9, code: 'A-SECRET' }, { left: 'A-SECRET' }, {}]) t.equal(read('used', data), null)
  t.equal(read('other', { code: 'A-SECRET' }), null)
  t.same(logged, [{ type: 'used' }, { type: 'used' }, { type: 'used' }, { type: 'other' }])
  t.end()
})

t.test('an address is told by its first letter and its domain', (t) => {
  t.equal(maskedAddress('ada@example.com'), 'a…@example.com')
  t.equal(maskedAddress('"a@b"@example.com'), '"…@example.com')
  t.end()
})

/** The texts in a schema that may be of any content, by their names. */
function freeTexts (schema: TSchema, name = ''): string[] {
  if (schema[Kind] === 'Object') {
    t.equal(schema.additionalProperties, false, `${name} is closed`)
    return Object.entries<TSchema>(schema.properties).flatMap(([name, part]) => freeTexts(part, name))
  }
  if (schema[Kind] === 'Array') return freeTexts(schema.items, name)
  if (schema[Kind] === 'Union') return (schema.anyOf as TSchema[]).flatMap((part) => freeTexts(part, name))
  if (schema[Kind] !== 'String') return []
  t.type(schema.maxLength, 'number', `${name} has a greatest length`)
  return schema.pattern === undefined ? [name] : []
}

t.test('what is told of events is closed, and texts of any content are those that can be erased', (t) => {
  t.ok(Object.keys(schemas).length > 3)
  for (const [type, schema] of Object.entries(schemas)) {
    for (const name of freeTexts(schema)) t.ok(personalNames.includes(name), `${name} of ${type}`)
  }
  t.end()
})

t.test('what tells of a person is found, and taken out, at any depth', (t) => {
  const data = { list: [{ ip: '192.0.2.1', left: 1 }, 'ip'], kind: 'a', of: { address: { text: 'b' } } }
  t.same(partsOf(data), {
    personal: [['/list/0/ip', '192.0.2.1'], ['/of/address', { text: 'b' }]],
    others: [['kind', 'a'], ['list', [[['left', 1]], 'ip']], ['of', []]],
  })
  const without = withoutPersonal(data)
  t.same(without, { list: [{ ip: null, left: 1 }, 'ip'], kind: 'a', of: { address: null } })
  t.same(partsOf(without).others, partsOf(data).others)
  t.end()
})
