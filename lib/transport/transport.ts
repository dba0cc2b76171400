import type { FastifyInstance } from 'fastify'
import type { Telemetry } from '../events/telemetry.ts'
import type { TransportEvents } from './events.ts'
import type { Keyring } from '../tokens/keyring.ts'
import { createCookies, type Cookies } from './cookies.ts'
import { createCsrf, type Csrf } from './csrf.ts'
import { createKeeping, type Keeping } from './keep.ts'
import { createLocator, type Locator } from './locate.ts'
import type { Location, TransportSettings } from './options.ts'

/** How tokens come and go. */
export interface TokenTransport extends Keeping {
  cookies: Cookies
  csrf: Csrf
  locator: Locator
  /** Where guards of our own routes look: they run before there is a body, and no token of a query is taken unasked. */
  ownLocations: Location[]
  /** Where routes of ours look that take a refresh token: into the body first. */
  refreshLocations: Location[]
}

export async function createTokenTransport (
  app: FastifyInstance, { keyring, telemetry }: { keyring: Keyring, telemetry: Telemetry<object, TransportEvents> }, settings: TransportSettings
): Promise<TokenTransport> {
  const cookies = await createCookies(app, settings)
  const csrf = createCsrf(settings, keyring.csrf, telemetry)
  const places = settings.locations.filter((place) => place === 'header' || place === 'cookie')
  const ownLocations: Location[] = places.length > 0 ? places : ['header']

  return {
    cookies,
    csrf,
    locator: createLocator(settings, cookies),
    ownLocations,
    refreshLocations: ['body', ...ownLocations],
    ...createKeeping(cookies, csrf, settings),
  }
}
