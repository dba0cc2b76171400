import { factors } from '../factors/card.ts'
import type { FactorSettings } from '../factors/options.ts'
import { feature } from '../feature.ts'
import { RecoveryCode } from './entity.ts'
import { recoveryCodeData } from './events.ts'
import { migrations } from './migrations.ts'
import type { RecoveryCodes } from './recovery-codes.ts'

/** Codes on paper, each good once, for when no other second factor is at hand. */
export const recoveryCodes = feature({
  name: 'recovery-codes',
  needs: { factors },
  entities: [RecoveryCode],
  migrations,
  eventData: recoveryCodeData,
  off: { when: ({ hasFactors }: FactorSettings) => !hasFactors, face: undefined as RecoveryCodes | undefined },
  open: (spine, settings, needs) => import('./open.ts').then(({ open }) => open(spine, settings, needs)),
})
