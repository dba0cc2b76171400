import { eachWithDeadline } from '../../http/deadline.ts'
import type { Open } from '../feature.ts'
import type { Spine } from '../spine.ts'
import { createListing } from './listing.ts'
import { createEventServices, type EventServices } from './services.ts'
import { showEvents } from './show-events.ts'

export async function open (spine: Spine): Promise<Open<undefined, { events: EventServices }>> {
  const list = createListing(spine.database)
  return {
    face: undefined,
    routes: { events: showEvents(spine, list) },
    services: { events: eachWithDeadline(createEventServices(spine, list)) },
  }
}
