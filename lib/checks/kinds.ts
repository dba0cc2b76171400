import { Type, type Static, type TObject, type TProperties, type TUnsafe } from '@sinclair/typebox'
import { isDuration, mostSeconds, type Duration } from './durations.ts'

/** What an option says of itself. The interface that editors show is made of it, and so is docs/options.md. */
interface Words {
  /** A paragraph of Markdown. Links in brackets are for the docs alone. */
  description?: string
  /** What holds where nothing is given, if no default can say it. */
  usual?: string
  /** The variable of the environment that stands in for it. */
  env?: string
}

/** A condition that JSON Schema has no keyword for, and the end of the sentence about a value that does not meet it. */
interface Condition {
  holds: (value: any) => boolean
  /** What follows `must`. */
  must: string
}

/** A value of a type that JSON Schema cannot say: `tsType` is its name, as a file of ours exports it. */
const named = <Value>(tsType: string, words: Words & Partial<Condition>) => Type.Unsafe<Value>({ ...words, tsType })

/** A group of options, which are given by name. */
export const Group = <Options extends TProperties>(options: Options, words: Words = {}) =>
  Type.Object(options, { ...words, additionalProperties: false, default: {} })

/** A group of options that can be switched off. */
export type FalseOrGroup<Options extends TProperties> =
  TUnsafe<Static<TObject<Options>> | false> & { properties: Options }

export const FalseOr = <Options extends TProperties>(options: Options, words: Words) => Type.Unsafe({
  ...Group(options, words),
  type: ['object', 'boolean'],
  holds: (value: unknown) => value !== true,
  must: 'be false, or its options',
}) as unknown as FalseOrGroup<Options>

/** A group of options that is off unless it is given, if only by `true` for all of its defaults. */
export type TrueOrGroup<Options extends TProperties> =
  TUnsafe<Static<TObject<Options>> | boolean> & { properties: Options }

export const TrueOr = <Options extends TProperties>(options: Options, words: Words) => Type.Optional(Type.Unsafe({
  ...Type.Object(options, { ...words, additionalProperties: false }),
  type: ['object', 'boolean'],
  holds: (value: unknown) => typeof value === 'object' || typeof value === 'boolean',
  must: 'be true, false, or its options',
}) as unknown as TrueOrGroup<Options>)

/** A group of options that is off unless it is given, of which some have no default. */
export const OffUnlessGiven = <Options extends TProperties>(
  options: Options, words: Words
) => Type.Optional(Type.Unsafe({
    ...Type.Object(options, { usual: 'off', ...words, additionalProperties: false }),
    type: ['object', 'boolean'],
    holds: (value: unknown) => typeof value === 'object' || value === false,
    must: 'be false, or its options',
  }) as unknown as FalseOrGroup<Options>)

/** From one second to `most`, or from zero where nothing at all makes sense. Settings have it in seconds. */
export const DurationSchema = (
  fallback: Duration, { zero = false, most = mostSeconds, ...words }: Words & { zero?: boolean, most?: number }
) => named<Duration>('Duration', {
  ...words,
  default: fallback,
  duration: true,
  holds: (value) => isDuration(value, { zero, most }),
  must: `be ${zero ? '0, ' : ''}a duration such as '15m' or whole seconds from 1 to ${most}`,
} as Words & Condition)

export const OneOf = <const Value>(values: readonly Value[], words: Words & { default?: NoInfer<Value> } = {}) =>
  Type.Unsafe<Value>({ ...words, enum: values })

/** A function of the host's, of a type by name. */
export const Callable = <Value>(tsType: string, words: Words) => Type.Optional(
  named<Value>(tsType, { ...words, holds: (value) => typeof value === 'function', must: 'be a function' }))

/** What is no plain data stays what it is, and the host's own: it is neither copied nor frozen. */
export const Kept = <Value>(
  tsType: string, words: Words & Partial<Condition> & { default?: Value, insteadOf?: string }
) => named<Value>(tsType, { ...words, kept: true } as Words)

/** A condition on texts. It lets other values pass: the schema's `type` refuses those. */
export const text = (holds: (value: string) => boolean, must: string): Condition =>
  ({ holds: (value: unknown) => typeof value !== 'string' || holds(value), must })

/** Names as HTTP has them (RFC 9110 §5.6.2). */
export const tokenPattern = "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$"

/** A part of a path; `/.` and `/..` are what browsers take away. */
const segment = '/(?![.]{1,2}(/|$))[A-Za-z0-9._~-]+'

/** A path such as `example`, or none at all where there may be none. */
export const path = (example: string, mayBeEmpty = false) => {
  const form = new RegExp(`^(${segment})${mayBeEmpty ? '*' : '+'}$`)
  return text((value) => form.test(value), `be a path such as '${example}'`)
}
