import { Type } from '@sinclair/typebox'
import { component } from '../../http/component.ts'
import type { OpenKeySettings } from './options.ts'
import type { KeyRow } from './rows.ts'

const nullableDate = (description: string, example: string | null) =>
  Type.Union([Type.String({ format: 'date-time' }), Type.Null()], { description, examples: [example] })

export const NameSchema = Type.String({
  maxLength: 64,
  pattern: '^(?=.*\\S)[^\\p{C}]+$',
  description: 'What its owner calls it.',
  examples: ['Nightly build'],
})

const members = {
  id: Type.String({ description: 'Its name for the server.', examples: ['019c2a64-6f3e-7b42-9c39-5d6bb1a3f0d1'] }),
  name: NameSchema,
  hint: Type.String({ description: 'Its last characters.', examples: ['x7Qa'] }),
  scopes: Type.Array(Type.String(), { description: 'What it is for.', examples: [['orders:read']] }),
  created_at: Type.String({ format: 'date-time', examples: ['2026-01-05T08:00:00.000Z'] }),
  expires_at: nullableDate('Until when it is good; null for ever.', '2026-04-05T08:00:00.000Z'),
}

/** A key as its owner sees it in a list. */
export const KeySchema = component('Key', Type.Object({
  ...members,
  last_used_at: nullableDate('When it was last used, to about a minute.', '2026-01-06T03:00:12.000Z'),
  last_used_ip: Type.Union([Type.String(), Type.Null()], {
    description: 'From which address.', examples: ['192.0.2.7'],
  }),
}, { description: 'An API key, without its text' }))

/** A key with its text, as it is shown once. */
export const NewKeySchema = component('NewKey', Type.Object({
  key: Type.String({ description: 'The text of the key. It is shown this once.', examples: ['fja_4Bv…'] }),
  ...members,
}, { description: 'A new API key' }))

/** What somebody asks for who wants a key. */
export function WantedSchema ({ scopes, maxAgeSeconds }: Pick<OpenKeySettings, 'scopes' | 'maxAgeSeconds'>) {
  const Seconds = Type.Integer({
    minimum: 1,
    ...maxAgeSeconds !== undefined && { maximum: maxAgeSeconds },
    description: 'How many seconds it lives.',
    examples: [2_592_000],
  })
  return Type.Object({
    name: NameSchema,
    scopes: Type.Optional(Type.Array(scopes.length > 0 ? Type.Unsafe<string>({ enum: scopes }) : Type.String(), {
      maxItems: scopes.length, uniqueItems: true, description: 'What it is for. Default nothing in particular.',
    })),
    expires_in: Type.Optional(maxAgeSeconds === undefined
      ? Type.Union([Seconds, Type.Null()], { description: 'How many seconds it lives; null for ever.' })
      : Seconds),
  }, { additionalProperties: false })
}

export function shownKey ({ id, name, hint, scopes, createdAt, expiresAt, lastUsedAt, lastUsedIp }: KeyRow) {
  return {
    id,
    name,
    hint,
    scopes,
    created_at: createdAt.toISOString(),
    expires_at: expiresAt?.toISOString() ?? null,
    last_used_at: lastUsedAt?.toISOString() ?? null,
    last_used_ip: lastUsedIp,
  }
}
