import type { Factors } from '../factors/factors.ts'
import type { FactorSettings } from '../factors/options.ts'
import type { Open } from '../feature.ts'
import type { Spine } from '../spine.ts'
import { createRecoveryCodes, recoveryMethod, type RecoveryCodes } from './recovery-codes.ts'
import { createRegenerate, regenerate } from './regenerate.ts'

/** How many codes there are where nothing says so: with passkeys alone. */
const usualCount = 10

export async function open (
  spine: Spine, settings: FactorSettings, { factors }: { factors: Factors | undefined }
): Promise<Open<RecoveryCodes | undefined, never>> {
  const made = createRecoveryCodes(spine.database, settings.factors?.recoveryCodes ?? usualCount)
  factors!.methods.push(recoveryMethod(spine.database, made, spine.telemetry.counters))
  factors!.regenerate = createRegenerate(spine, factors!, made.codes)
  return { face: made.codes, routes: { factors: regenerate(spine, made.codes, factors!.regenerate) } }
}
