import { factors } from '../factors/card.ts'
import type { FactorSettings } from '../factors/options.ts'
import { feature } from '../feature.ts'
import { recoveryCodes } from '../recovery-codes/card.ts'
import { Totp } from './entity.ts'
import { migrations } from './migrations.ts'

/** The codes of authenticator apps (RFC 6238), as a second factor. */
export const totp = feature({
  name: 'totp',
  needs: { factors, recoveryCodes },
  entities: [Totp],
  migrations,
  off: { when: ({ factors }: FactorSettings) => factors === undefined, face: undefined },
  open: (spine, settings, needs) => import('./open.ts').then(({ open }) => open(spine, settings, needs)),
})
