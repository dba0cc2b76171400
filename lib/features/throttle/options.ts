import { Type } from '@sinclair/typebox'
import { FalseOr, Group } from '../../checks/kinds.ts'
import { settled, type Filled } from '../../checks/slice.ts'

const FailuresSchema = (fallback: number, description: string) =>
  Type.Integer({ default: fallback, minimum: 1, maximum: 1_000_000, description })

export const options = {
  throttle: FalseOr({
    accountNetwork: FailuresSchema(5, 'Free failures at one account, from one network.'),
    network: FailuresSchema(50, 'Free failures from one network, registrations included.'),
    account: FailuresSchema(100, 'Free failures at one account, from everywhere (NIST SP 800-63B-4 §3.2.2).'),
    factor: FailuresSchema(5, 'Free failures at the second factor of a user; one is forgotten in 15 minutes.'),
    mail: Group({
      address: FailuresSchema(5, 'Mails to one address that are free; one is forgotten in 12 minutes. 20 a day.'),
      network: FailuresSchema(20, 'Mails that one network may ask for; one is forgotten in a minute.'),
    }),
  }, {
    usual: 'on',
    description: 'Limits on guessing: how many failures are free. Each further one starts a wait: 2 seconds, then 4, ' +
      '8 and so on, 15 minutes at most ([limits on guessing](throttle.md)). **Behind a proxy, set `trustProxy` in ' +
      'Fastify**, or all clients are one network. `false` leaves it to you.',
  }),
}

/** What the settings say of limits on guessing. */
export type ThrottleSettings = ReturnType<typeof read>

export function read (given: Filled<typeof options>) {
  return settled(options, given)
}
