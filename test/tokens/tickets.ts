import type { Test } from 'tap'
import type { AccountsOptions } from '../../lib/index.ts'
import { readSettings } from '../../lib/settings.ts'
import { createKeyring } from '../../lib/tokens/keyring.ts'
import { createTickets, type Tickets } from '../../lib/tokens/ticket.ts'
import { secret } from '../support/build.ts'
import { Fastify } from '../support/fastify.ts'

/** The tickets of an app with these options, good for 5 minutes. */
export async function openTickets (t: Test, options: AccountsOptions = {}, lifeSeconds = 300): Promise<Tickets> {
  const app = Fastify()
  t.teardown(() => app.close())
  const settings = readSettings({ secret, ...options }, {}, app.log)
  const keyring = await createKeyring(app, settings.keys, settings.headerFields)
  return createTickets(await keyring.openTickets(), settings, lifeSeconds)
}
