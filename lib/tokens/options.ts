import { Type } from '@sinclair/typebox'
import { DurationSchema, Group, Kept, OneOf } from '../checks/kinds.ts'
import { named } from '../checks/sentences.ts'
import { settled, type Filled } from '../checks/slice.ts'
import { isUnnamed, type options as httpOptions } from '../http/options.ts'
import { algorithms, type Algorithm, type Key, type KeyPair } from './key.ts'

/** What signs tokens. */
export type Secret = string | Buffer | KeyPair

const PartySchema = { minLength: 1, maxLength: 255 }

const FieldSchema = Type.Unsafe<string | number | boolean>({ type: ['string', 'number', 'boolean'] })

export const options = {
  secret: Type.Optional(Kept<Secret | Secret[]>('Secret | Secret[]', {
    env: 'JWT_SECRET_KEY',
    description: 'Signs the tokens: a string or Buffer of 32 random bytes or more (`openssl rand -base64 48`), or ' +
      'a key pair ([keys](keys.md)). A pair is `{ private, public, kid, algorithm }`, with keys as PEM, KeyObject ' +
      'or JWK. In a list the first key signs, and all verify. An app with public keys only verifies tokens and ' +
      'issues none.',
  })),
  algorithm: Type.Optional(OneOf<Algorithm>(algorithms, {
    usual: "follows from the first key; `'RS256'` for an RSA key",
    description: 'The algorithm of the first key. Only an RSA key has a choice.',
  })),
  access: Group({
    expiresIn: DurationSchema('15m', {
      env: 'JWT_ACCESS_TOKEN_EXPIRES',
      description: 'The lifetime of an access ' +
      'token.'
    }),
  }),
  issuer: Type.String({
    ...PartySchema, default: 'fastify-jwt-accounts', description: 'The `iss` claim, written and required.',
  }),
  audience: Type.Optional(Type.Unsafe<string | string[]>({
    ...PartySchema,
    type: ['string', 'array'],
    minItems: 1,
    uniqueItems: true,
    items: { type: 'string', ...PartySchema },
    usual: "`'fastify-jwt-accounts'`; with another `name`, followed by a slash and the name",
    description: 'The `aud` claim, written and required. In a list the first is written, and all are accepted.',
  })),
  leeway: DurationSchema(0, {
    zero: true,
    most: 300,
    description: 'How much clocks may differ when `exp` and `nbf` of access tokens are checked, up to 5 minutes. ' +
      'The end of a session has no leeway.',
  }),
  headerFields: Type.Record(Type.String(), FieldSchema, {
    default: {}, description: 'More fields for the header of every token.',
  }),
}

type Given = Filled<typeof options & Pick<typeof httpOptions, 'name'>>

/** What the settings say of tokens. */
export type TokenSettings = ReturnType<typeof read> & {
  refresh: { expiresInSeconds: number }
  /** Whether tokens say how well it was proved who has them: where there are second factors or passkeys. */
  hasLevels: boolean
  /** Whether admins may borrow sessions of users, so that tokens say who acts with them. */
  lendsSessions: boolean
}

/**
 * The last parts of audiences that other kinds of tokens have, such as `/refresh`, so no audience of access tokens may.
 */
const reservedAudiences = ['refresh', 'ticket']

/** What the longest header of ours, with the longest `kid`, leaves of the length that we read. */
const mostFieldsBytes = 400

/** Names of header fields that say how a token is to be read (RFC 7515 §4.1, RFC 7516 §4.1, RFC 7797). */
const reservedFields = [
  'alg', 'typ', 'kid', 'cty', 'crit', 'b64', 'jwk', 'jku', 'x5c', 'x5u', 'x5t', 'x5t#S256', 'enc', 'zip', 'epk', 'apu',
  'apv', 'iv', 'tag', 'p2s', 'p2c', '__proto__',
]

export function problems ({ name, audience = [], headerFields }: Given): string[] {
  const reserved = Object.keys(headerFields).filter((field) => reservedFields.includes(field))
  const isLong = Buffer.byteLength(JSON.stringify(headerFields)) > mostFieldsBytes
  const parties = [audience].flat().filter((party) => reservedAudiences.some((kind) => party.endsWith(`/${kind}`)))
  return [
    ...reserved.map((field) => `headerFields.${field} is reserved`),
    ...isLong ? [`headerFields must have at most ${mostFieldsBytes} bytes as JSON`] : [],
    ...reservedAudiences.includes(name) ? [`name must not be ${name}, which is the audience of other tokens`] : [],
    ...parties.map((party) => `audience must not be ${party}: what ends like this is for other tokens`),
  ]
}

/** What is wrong with the keys, one by one and together. */
export function keyProblems (keys: (Key | string)[], given: unknown, env: NodeJS.ProcessEnv): string[] {
  const name = named(options, 'secret')
  if (given === undefined && env.NODE_ENV === 'production') return [`${name} is required in production`]
  if (keys.length === 0) return ['secret must hold a key']

  const read = keys.filter((key) => typeof key !== 'string')
  const isDoubled = (['kid', 'thumbprint'] as const).some((member) => {
    return new Set(read.map((key) => key[member])).size < read.length
  })
  const nameOf = (index: number) => Array.isArray(given) ? `secret[${index}]` : name
  return [
    ...keys.flatMap((key, index) => typeof key === 'string' ? [`${nameOf(index)} ${key}`] : []),
    ...isDoubled ? ['secret must hold different keys, with different names (kid)'] : [],
    ...read[0]?.signs === false && read.some(({ signs }) => signs)
      ? ['secret must begin with a key that signs, since some of the others could']
      : [],
  ]
}

export function read (given: Given, keys: Key[]) {
  const { secret: _, algorithm: __, audience = audienceOf(given.name), ...rest } = settled(options, given)
  return { ...rest, keys, audiences: [audience].flat() }
}

/** Accounts of another name are another audience: a token of one kind of users never opens the other's doors. */
function audienceOf (name: string): string {
  return isUnnamed(name) ? 'fastify-jwt-accounts' : `fastify-jwt-accounts/${name}`
}
