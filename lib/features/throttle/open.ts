import type { Open } from '../feature.ts'
import type { Spine } from '../spine.ts'
import { createDevices, type Devices } from './devices.ts'
import type { ThrottleSettings } from './options.ts'
import { createRows } from './buckets.ts'
import { createLimits, type Free, type Limits } from './limits.ts'

/** Limits on guessing. */
export interface Throttle extends Limits {
  /** The browsers that they do not hold up for what others have done: where none has cookies there are none. */
  devices?: Devices | undefined
}

export async function open (
  { database, events, keyring, log, settings, telemetry, transport }: Spine, { throttle: free }: ThrottleSettings
): Promise<Open<Throttle, never>> {
  const limits = createLimits(
    { rows: createRows(database), key: keyring.throttle, events, telemetry, log },
    free as Free
  )
  const devices = settings.transport === 'body' ? undefined : createDevices(transport.cookies, keyring.device)
  return { face: { ...limits, devices } }
}
