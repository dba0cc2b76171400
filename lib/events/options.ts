import { Type } from '@sinclair/typebox'
import { inSeconds, isDuration, type Duration } from '../checks/durations.ts'
import { DurationSchema, Group } from '../checks/kinds.ts'
import type { Filled } from '../checks/slice.ts'

export const options = {
  events: Group({
    store: Type.Boolean({
      default: false,
      description: 'Stores every [event of an account](operations.md#channels) in the table `accounts_events`, in ' +
        'the same transaction as what it reports.',
    }),
    keepFor: DurationSchema('90d', { description: 'How long stored events are kept.' }),
    seal: Type.Unsafe<Duration | false>({
      holds: (value: unknown) => value === false || isDuration(value, { most: 3600 }),
      must: "be false or a duration of up to an hour such as '5s'",
      tsType: 'Duration | false',
      default: '5s',
      description: 'How often stored events are sealed, so that [nobody changes them unnoticed](audit.md#seals). ' +
        '`false` seals none. Needs a `secret`.',
    }),
  }, {
    description: 'Events of accounts are published on channels of node:diagnostics_channel, and can be stored in a ' +
      'table as well.',
  }),
}

/** What the settings say of events. */
export type EventSettings = ReturnType<typeof read>

export function read ({ events: { store, keepFor, seal } }: Filled<typeof options>) {
  const sealSeconds = store && seal !== false ? inSeconds(seal) : undefined
  return { events: { store, keepForSeconds: inSeconds(keepFor), sealSeconds } }
}
