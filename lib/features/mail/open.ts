import type { Open } from '../feature.ts'
import type { Spine } from '../spine.ts'
import type { Limits } from '../throttle/limits.ts'
import type { MailHooks } from './options.ts'
import { createMailProofs, type MailProofs } from './mail-proofs.ts'

export async function open (
  spine: Spine, settings: MailHooks, { throttle }: { throttle: Limits }
): Promise<Open<MailProofs, never>> {
  return { face: createMailProofs(spine, settings, throttle) }
}
