import type { Policy } from './scheme.ts'

const days = 86400

/** The defaults of the plugin. */
export const policy: Policy = {
  windowSeconds: 30, expiresInSeconds: 30 * days, maxAgeSeconds: 180 * days, accessExpiresInSeconds: 900, replay: 'until-confirmed',
}
