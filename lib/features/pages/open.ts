import type { Open } from '../feature.ts'
import type { MailProofs } from '../mail/mail-proofs.ts'
import type { Spine } from '../spine.ts'
import type { PagesSettings } from './options.ts'
import { mailPages } from './mail-pages.ts'

export async function open (
  spine: Spine, settings: PagesSettings, { mail }: { mail: MailProofs }
): Promise<Open<undefined, never>> {
  return { face: undefined, fixed: mailPages(spine, settings, mail) }
}
