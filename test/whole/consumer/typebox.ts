// Fields of users as schemas of typebox 1, and of 0.34: nothing here is run.
import { Type as Type034, type Static as Static034 } from '@sinclair/typebox'
import Fastify from 'fastify'
import accounts, { type AccountsOptions } from 'fastify-jwt-accounts'
import { Type, type Static } from 'typebox'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
function expect<Truth extends true> (): Truth | void {}

const Profile = Type.Object({ displayName: Type.String({ maxLength: 64 }), plan: Type.String({ default: 'free', readOnly: true }) })
const Older = Type034.Object({ displayName: Type034.String({ maxLength: 64 }), plan: Type034.String({ default: 'free', readOnly: true }) })

/** As app.ts tells it of all accounts, and as it may be told by a schema. */
type Told = { displayName: string, plan: string }
expect<Equal<Static<typeof Profile>, Told>>()
expect<Equal<Static034<typeof Older>, Told>>()

const app = Fastify()
await app.register(accounts, { user: { fields: Profile.properties } })
await app.register(accounts, { user: { fields: Older.properties } })
const options: AccountsOptions = {
  user: { fields: { age: Type.Optional(Type.Integer()), tags: Type.Array(Type.String()), level: Type.Enum(['a', 'b']), code: Type.Unsafe<'x'>({ type: 'string' }) } },
}
// @ts-expect-error a field is a schema
await app.register(accounts, { user: { fields: { age: 'integer' } } })
await app.register(accounts, options)
