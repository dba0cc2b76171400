import { Type } from '@sinclair/typebox'
import { FalseOr, Group } from '../../checks/kinds.ts'
import { settled, type Filled } from '../../checks/slice.ts'

const FailuresSchema = (fallback: number, description: string) =>
  Type.Integer({ default: fallback, minimum: 1, maximum: 1_000_000, description })

export const options = {
  throttle: FalseOr({
    accountNetwork: FailuresSchema(5, 'Failures per account and network before waits begin.'),
    network: FailuresSchema(50, 'Failures per network before waits begin, registrations included.'),
    account: FailuresSchema(100, 'Failures per account, from everywhere, before waits begin (NIST SP 800-63B-4 ' +
      '§3.2.2).'),
    factor: FailuresSchema(5, 'Wrong second factors per user before waits begin; one is forgotten every 15 minutes.'),
    mail: Group({
      address: FailuresSchema(5, 'Mails per address before waits begin; one is forgotten every 12 minutes. At most ' +
        '20 a day.'),
      network: FailuresSchema(20, 'Mails per requesting network before waits begin; one is forgotten every minute.'),
    }),
  }, {
    usual: 'on',
    description: 'Limits on guessing: how many failures have no consequence. Each further one causes a wait of 2 ' +
      'seconds, then 4, 8 and so on, at most 15 minutes ([limits on guessing](throttle.md)). **Behind a proxy, set ' +
      '`trustProxy` in Fastify**, or all clients count as one network. `false` turns the limits off.',
  }),
}

/** What the settings say of limits on guessing. */
export type ThrottleSettings = ReturnType<typeof read>

export function read (given: Filled<typeof options>) {
  return settled(options, given)
}
