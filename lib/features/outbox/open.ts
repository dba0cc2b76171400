import { thisMachine } from '../../mail/links.ts'
import type { Open } from '../feature.ts'
import type { MailProofs } from '../mail/mail-proofs.ts'
import type { Spine } from '../spine.ts'
import { showOutbox } from './show-outbox.ts'

export async function open ({ log }: Spine, { mail }: { mail: MailProofs }): Promise<Open<undefined, never>> {
  return {
    face: undefined,
    fixed (scope) {
      showOutbox(scope, mail.mailing.devOutbox!)
      scope.addHook('onListen', async () => {
        log.info(`Mails are not sent, but shown at ${thisMachine(scope.server)}${scope.prefix}/outbox`)
      })
    },
  }
}
