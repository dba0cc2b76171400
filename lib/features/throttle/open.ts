import type { Open } from '../feature.ts'
import type { Spine } from '../spine.ts'
import { createDevices, type Devices } from './devices.ts'
import type { ThrottleSettings } from './options.ts'
import { createRows } from './rows.ts'
import { createLimits, type Free, type Limits } from './limits.ts'

/** Limits on guessing, and the browsers that they do not hold up for what others have done. */
export interface Throttle extends Limits, Devices {}

export async function open (
  { database, events, keyring, log, telemetry, transport }: Spine, { throttle: free }: ThrottleSettings
): Promise<Open<Throttle, never>> {
  const limits = createLimits({ rows: createRows(database), key: keyring.throttle, events, telemetry, log }, free as Free)
  return { face: { ...limits, ...createDevices(transport.cookies, keyring.device) } }
}
