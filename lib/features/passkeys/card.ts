import { factors } from '../factors/card.ts'
import { feature } from '../feature.ts'
import { mail } from '../mail/card.ts'
import { recoveryCodes } from '../recovery-codes/card.ts'
import { register } from '../register/card.ts'
import { throttle } from '../throttle/card.ts'
import { Passkey } from './entity.ts'
import { passkeyCounters } from './events.ts'
import { passkeyMigrations } from './migrations.ts'
import type { PasskeySettings } from './options.ts'

/** Passkeys (WebAuthn): to sign in without a password, and as the second factor. */
export const passkeys = feature({
  name: 'passkeys',
  needs: { throttle, mail, factors, recoveryCodes, register },
  entities: [Passkey],
  migrations: passkeyMigrations,
  counters: passkeyCounters,
  off: { when: ({ passkeys }: PasskeySettings) => passkeys === undefined, face: undefined },
  open: (spine, settings, needs) =>
    import('./open.ts').then(({ open }) => open(spine, settings, needs)),
})
