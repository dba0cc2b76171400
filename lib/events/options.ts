import { Type } from '@sinclair/typebox'
import { DurationSchema, Group } from '../checks/kinds.ts'
import { settled, type Filled } from '../checks/slice.ts'

export const options = {
  events: Group({
    store: Type.Boolean({
      default: false,
      description: 'Keeps every [event of an account](operations.md#channels) in the table `accounts_events`, in the ' +
        'transaction of what it tells of.',
    }),
    keepFor: DurationSchema('90d', { description: 'For how long events are kept.' }),
  }, {
    description: 'What happens to accounts is told on channels of node:diagnostics_channel, and may be kept in the ' +
      'table of events too.',
  }),
}

/** What the settings say of events. */
export type EventSettings = ReturnType<typeof read>

export function read (given: Filled<typeof options>) {
  return settled(options, given)
}
