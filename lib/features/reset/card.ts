import { OptionsInvalid } from '../../http/errors.ts'
import type { MailSettings } from '../../mail/options.ts'
import { feature } from '../feature.ts'
import { email } from '../email/card.ts'
import { mail } from '../mail/card.ts'
import { passwords } from '../passwords/card.ts'
import { throttle } from '../throttle/card.ts'
import { users } from '../users/card.ts'
import type { ResetServices } from './services.ts'

type Settings = { mail: MailSettings | undefined, routes: Record<string, string> }

/** Where nobody could choose another password, nobody has to. */
const refusing: ResetServices = {
  async requireReset () {
    throw new OptionsInvalid('users.requireReset() needs the option mail, and the route resetPassword')
  },
}

/** Another password for who has forgotten theirs, by a mail to their address. */
export const reset = feature({
  name: 'reset',
  needs: { throttle, mail, email, passwords, users },
  off: { when: ({ mail }: Settings) => !mail, face: undefined, services: { users: refusing } },
  open: (spine, { routes }, needs) =>
    import('./open.ts').then(({ open }) =>
      open(spine, needs, routes.resetPassword === undefined ? refusing : undefined)),
})
