import { eachWithDeadline } from '../../http/deadline.ts'
import type { Open } from '../feature.ts'
import type { MailProofs } from '../mail/mail-proofs.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { Spine } from '../spine.ts'
import type { Changes } from '../users/changes.ts'
import { closeAccount } from './close-account.ts'
import { createClosing } from './closing.ts'
import { AccountClosing } from './errors.ts'
import type { ClosingSettings } from './options.ts'
import { pruneOfClosed } from './prune.ts'
import { restore } from './restore.ts'
import { createClosingServices, type ClosingServices } from './services.ts'

interface Needs {
  passwords: Passwords
  users: { changes: Changes }
  /** Undefined where there are no mails. */
  mail: MailProofs | undefined
}

export async function open (
  spine: Spine, settings: ClosingSettings, { passwords, users, mail }: Needs
): Promise<Open<undefined, { users: ClosingServices }>> {
  const closing = createClosing(spine, users.changes, settings)
  const { graceSeconds } = settings.closing
  if (graceSeconds > 0) {
    spine.signIn.steps.push({
      judge ({ closesAt }) { if (closesAt) throw new AccountClosing(closesAt) },
      Refusals: [AccountClosing],
    })
  }

  return {
    face: undefined,
    services: { users: eachWithDeadline(createClosingServices(spine, closing)) },
    routes: { me: closeAccount(spine, closing, graceSeconds), restore: restore(spine, { closing, passwords, mail }) },
    prunes: graceSeconds > 0 ? [pruneOfClosed(spine.database, closing, spine.log)] : [],
  }
}
