import { OptionsInvalid } from '../../http/errors.ts'
import type { ImpersonationServices } from './services.ts'

/** What code finds where no session is borrowed. */
export const impersonationOff: ImpersonationServices = {
  async impersonate () {
    throw new OptionsInvalid('users.impersonate() needs the option admin.impersonation')
  },
}
