import type { OnRegister } from '../../sessions/options.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { Throttle } from '../throttle/open.ts'

/** What a registration needs. */
export interface RegisterNeeds {
  throttle: Throttle
  passwords: Passwords
}

/** What the settings say of registrations. */
export interface RegisterSettings {
  hooks: { onRegister?: OnRegister }
}
