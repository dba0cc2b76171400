import type { Static, TObject, TProperties } from '@sinclair/typebox'
import { inSeconds, type Duration } from './durations.ts'
import type { FalseOrGroup, TrueOrGroup } from './kinds.ts'

/*
 * A folder that has options says in its options.ts:
 *
 * - `options`: TypeBox properties, each with its default and its description;
 * - `faults`: what is wrong with single options and no schema can see. It is said together with what the schemas find;
 * - `problems`: options that are right one by one and do not go together;
 * - `read`: makes the folder's part of the settings of them.
 */

/** Options with their defaults, as the schema has found them right. */
export type Filled<Options extends TProperties> = Static<TObject<Options>>

/** Options with their defaults, of which any may be wrong. */
export type Loose<Options extends TProperties> = Partial<Filled<Options>>

/** Options with each duration in seconds, under a name that says so, in groups too. */
export type Settled<Options extends TProperties> = {
  [Name in keyof Filled<Options> as Duration extends Filled<Options>[Name] ? `${Name & string}Seconds` : Name]:
  Duration extends Filled<Options>[Name] ? number
    : Options[Name & string] extends TObject<infer Inner> ? Settled<Inner>
      : Options[Name & string] extends FalseOrGroup<infer Inner> ? Settled<Inner> | false
        : Options[Name & string] extends TrueOrGroup<infer Inner> ? Settled<Inner> | false | undefined
          : Filled<Options>[Name]
}

/** Picks `options` out of the given ones, with each duration in seconds. */
export function settled<Options extends TProperties> (options: Options, given: Filled<Options>): Settled<Options> {
  const values = Object.entries(options).map(([name, part]) => {
    const value = (given as Record<string, unknown>)[name]
    if ('duration' in part) return [`${name}Seconds`, inSeconds(value)]
    return [name, 'properties' in part && value ? settled(part.properties, value) : value]
  })
  return Object.fromEntries(values.filter(([, value]) => value !== undefined))
}
