import type { FastifyInstance } from 'fastify'
import type { Telemetry } from '../events/events.ts'
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
  /** The places where guards of our own routes look. They run before there is a body; queries may end up in logs. */
  ownLocations: Location[]
  /** The places where our own routes look for a refresh token: the body first. */
  refreshLocations: Location[]
}

interface TransportParts {
  keyring: Keyring
  telemetry: Telemetry<object, TransportEvents>
}

export async function createTokenTransport (
  app: FastifyInstance, { keyring, telemetry }: TransportParts, settings: TransportSettings
): Promise<TokenTransport> {
  const cookies = await createCookies(app, settings)
  const csrf = createCsrf(settings, keyring.derived('csrf'), telemetry)
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
