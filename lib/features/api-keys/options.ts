import { Type } from '@sinclair/typebox'
import { inSeconds, isDuration, type Duration } from '../../checks/durations.ts'
import { DurationSchema, text, tokenPattern, TrueOr } from '../../checks/kinds.ts'
import type { Filled } from '../../checks/slice.ts'
import { RouteSchema } from '../routes.ts'

export const options = {
  keys: TrueOr({
    prefix: Type.String({
      pattern: '^[A-Za-z]{2,10}$',
      default: 'fja',
      description: 'What every key begins with, before an underscore: a word of your own, so that scanners of ' +
        'secrets know whose a key is. With another one all keys that are there are lost.',
    }),
    scopes: Type.Array(Type.String({ pattern: '^[\\x21\\x23-\\x5B\\x5D-\\x7E]{1,64}$' }), {
      maxItems: 100,
      default: [],
      description: "What keys may be for, such as `['orders:read', 'orders:write']`: any other is refused.",
    }),
    expiresIn: DurationSchema('90d', { description: 'How long a key lives that asks for nothing else.' }),
    maxAge: Type.Unsafe<Duration | false>({
      holds: (value: unknown) => value === false || isDuration(value),
      must: "be false or a duration such as '365d'",
      tsType: 'Duration | false',
      default: '365d',
      description: 'How long a key may live at most. With `false` there may be keys that never expire.',
    }),
    max: Type.Integer({ minimum: 1, maximum: 1000, default: 25, description: 'How many keys a user may have.' }),
    overlap: DurationSchema('24h', {
      zero: true,
      most: 7 * 86_400,
      description: 'How long the key of before is good after a rotation, if that does not say it: 7 days at most.',
    }),
    header: Type.Optional(Type.String({
      ...text((value) => !taken.includes(value.toLowerCase()), 'be a header that nothing else stands in'),
      pattern: tokenPattern,
      usual: 'none',
      description: "One more header that holds a key, by itself, such as `'x-api-key'`. A key in it counts before " +
        'any other credentials.',
    })),
    everywhere: Type.Boolean({
      default: false,
      description: 'Whether every guard of yours takes keys that does not say `keys: false`.',
    }),
  }, {
    usual: 'off',
    description: 'API keys, for programs that act for a user ([API keys](api-keys.md)).',
  }),
}

/** Headers that a key cannot stand in. */
const taken = ['authorization', 'cookie', 'host', 'origin', 'content-type', 'content-length', 'transfer-encoding']

export const routes = {
  keys: RouteSchema('/keys', true, '`/keys` and what is below it, with `keys`.', {
    method: 'POST', isOfUse: (_, { keys }: Given) => Boolean(keys),
  }),
}

type Given = Filled<typeof options>

/** What is given in place of `true`, which stands for all defaults. */
type GivenKeys = Exclude<Given['keys'], boolean | undefined>

/** What the settings say of API keys. */
export type KeySettings = ReturnType<typeof read>

/** Settings of accounts that have API keys. */
export type OpenKeySettings = NonNullable<KeySettings['apiKeys']>

export function problems ({ keys, header }: Given & { header?: { name?: string } }): string[] {
  if (!keys) return []
  const { expiresIn, maxAge, header: own } = keys as GivenKeys
  const rules: [isBroken: boolean, problem: string][] = [
    [maxAge !== false && inSeconds(expiresIn) > inSeconds(maxAge),
      'keys.expiresIn must not be longer than keys.maxAge'],
    [own !== undefined && own.toLowerCase() === header?.name?.toLowerCase(),
      'keys.header must be another header than that of tokens, where keys are taken anyway'],
  ]
  return rules.filter(([isBroken]) => isBroken).map(([, problem]) => problem)
}

export function read ({ keys }: Given) {
  if (!keys) return { apiKeys: undefined }
  const { prefix, scopes, expiresIn, maxAge, max, overlap, header, everywhere } = keys as GivenKeys
  return {
    apiKeys: {
      prefix,
      scopes,
      expiresInSeconds: inSeconds(expiresIn),
      maxAgeSeconds: maxAge === false ? undefined : inSeconds(maxAge),
      max,
      overlapSeconds: inSeconds(overlap),
      header: header?.toLowerCase(),
      everywhere,
    },
  }
}
