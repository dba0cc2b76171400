import type { Open } from '../feature.ts'
import type { Spine } from '../spine.ts'
import { createRows } from './buckets.ts'
import { createDevices } from './devices.ts'
import { createLimits, type Free, type Limits } from './limits.ts'
import type { ThrottleSettings } from './options.ts'

export async function open (
  { database, events, keyring, log, settings, telemetry, transport }: Spine, { throttle: free }: ThrottleSettings
): Promise<Open<Limits, never>> {
  const devices = settings.transport === 'body' ? undefined : createDevices(transport.cookies, keyring.device)
  const rows = createRows(database)
  return { face: createLimits({ rows, devices, key: keyring.throttle, events, telemetry, log }, free as Free) }
}
