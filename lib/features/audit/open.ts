import type { FastifyInstance } from 'fastify'
import type { EventSettings } from '../../events/options.ts'
import { eachWithDeadline } from '../../http/deadline.ts'
import type { Open } from '../feature.ts'
import type { Spine } from '../spine.ts'
import { createListing } from './listing.ts'
import { pruneOfEvents } from './prune.ts'
import { createSealer, type Sealer } from './sealer.ts'
import { createSealRows } from './sealing.ts'
import { createEventServices, type EventServices } from './services.ts'
import { showEvents } from './show-events.ts'
import { keepSealer } from './testing.ts'
import { createVerify } from './verifying.ts'

export async function open (
  spine: Spine, { events: { keepForSeconds, sealSeconds } }: EventSettings
): Promise<Open<undefined, { events: EventServices }>> {
  const { database, chain } = spine
  const rows = createSealRows(database)
  const list = createListing(database)
  const verify = chain && createVerify(database, rows, chain)
  const sealer = chain && sealSeconds !== undefined
    ? createSealer({ ...spine, rows, chain }, { sealSeconds })
    : undefined
  const services = eachWithDeadline(createEventServices(spine, list, verify))
  if (sealer) keepSealer(services, sealer)
  return {
    face: undefined,
    routes: { events: showEvents(spine, list, verify) },
    services: { events: services },
    prunes: [pruneOfEvents(spine, rows, keepForSeconds)],
    atRoot: sealer && ((app) => run(app, sealer)),
  }
}

/** Seals from when the app is ready, so a command never does, until it is closed. */
function run (app: FastifyInstance, { start, close }: Sealer): void {
  app.addHook('onReady', async () => start())
  app.addHook('onClose', close)
}
