import { Type, type TSchema } from '@sinclair/typebox'

/** What errors say beside the members that all have, where they say it. */
export const errorMembers = {
  field: Type.String({
    description: 'What is taken, where the code says that something is: username, email, or a field of the app.',
  }),
  closes_at: Type.String({
    format: 'date-time', description: 'When the account will be deleted, with ACCOUNTS_CLOSING.',
  }),
  ticket: Type.String({
    description: 'Send it with the next proof. Missing if it is sent in a cookie.',
    examples: ['eyJhbGciOiJIUzI1NiIsInR5cCI6InRpY2tldCtqd3QifQ…'],
  }),
  expires_in: Type.Integer({ description: 'Seconds until the ticket expires.', examples: [300] }),
  factors: Type.Array(Type.String(), {
    description: 'What the user may prove next: totp, passkey, recovery.', examples: [['totp', 'recovery']],
  }),
  may_enrol: Type.Array(Type.String(), {
    description: 'What the user may set up: totp, passkey.', examples: [['totp', 'passkey']],
  }),
  missing: Type.Array(Type.String(), {
    description: 'What a registration needs beside: names, or fields of the app.', examples: [['username']],
  }),
} satisfies Record<string, TSchema>

type MemberName = keyof typeof errorMembers

/** What an error may say beside the members that all have. */
export type ErrorMembers = { [Name in MemberName]?: (typeof errorMembers)[Name]['static'] }

const names = Object.keys(errorMembers) as MemberName[]

/** The schemas of what any of these errors says beside. */
export function memberSchemas (errors: object[]): Record<string, TSchema> {
  const said = names.filter((name) => errors.some((error) => name in error))
  return Object.fromEntries(said.map((name) => [name, Type.Optional(errorMembers[name])]))
}

/** What an error says beside the members that all have. */
export function membersOf (error: object): ErrorMembers {
  const said = names.filter((name) => (error as ErrorMembers)[name] !== undefined)
  return Object.fromEntries(said.map((name) => [name, (error as ErrorMembers)[name]]))
}
