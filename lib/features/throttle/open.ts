import { randomBytes } from 'node:crypto'
import type { Open } from '../feature.ts'
import type { Spine } from '../spine.ts'
import { createRows } from './buckets.ts'
import { createDevices } from './devices.ts'
import { createLimits, type Free, type Limits } from './limits.ts'
import type { ThrottleSettings } from './options.ts'

export async function open (
  { database, events, keyring, log, settings, telemetry, transport }: Spine, { throttle: free }: ThrottleSettings
): Promise<Open<Limits, never>> {
  const hasCookies = settings.transport !== 'body'
  const devices = hasCookies ? createDevices(transport.cookies, keyring.derived('device')) : undefined
  const rows = createRows(database)
  // Processes that share a key and a database count together. With public keys alone nobody signs in here.
  const [key = randomBytes(32)] = keyring.derived('throttle')
  return { face: createLimits({ rows, devices, key, events, telemetry, log }, free as Free) }
}
