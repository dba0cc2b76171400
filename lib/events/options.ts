import { Type } from '@sinclair/typebox'
import { DurationSchema, Group } from '../checks/kinds.ts'
import { settled, type Filled } from '../checks/slice.ts'

export const options = {
  events: Group({
    store: Type.Boolean({
      default: false,
      description: 'Stores every [event of an account](operations.md#channels) in the table `accounts_events`, in ' +
        'the same transaction as what it reports.',
    }),
    keepFor: DurationSchema('90d', { description: 'How long stored events are kept.' }),
  }, {
    description: 'Events of accounts are published on channels of node:diagnostics_channel, and can be stored in a ' +
      'table as well.',
  }),
}

/** What the settings say of events. */
export type EventSettings = ReturnType<typeof read>

export function read (given: Filled<typeof options>) {
  return settled(options, given)
}
