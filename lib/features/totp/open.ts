import { randomBytes } from 'node:crypto'
import { createSeal, readSealKey } from '../../secrets/seal.ts'
import type { Factors } from '../factors/factors.ts'
import type { FactorSettings } from '../factors/options.ts'
import type { Open } from '../feature.ts'
import type { RecoveryCodes } from '../recovery-codes/recovery-codes.ts'
import type { Spine } from '../spine.ts'
import { loadCodes } from './code.ts'
import { createEnrolments } from './enrolment.ts'
import { totpMethod } from './method.ts'
import { totpRoutes } from './routes.ts'
import { createTotpRows } from './rows.ts'
import { createSeeds } from './seeds.ts'
import { createToolbox, keepToolbox } from './toolbox.ts'

interface Needs {
  factors: Factors | undefined
  recoveryCodes: RecoveryCodes | undefined
}

export async function open (
  spine: Spine, { factors: settings }: FactorSettings, { factors, recoveryCodes }: Needs
): Promise<Open<undefined, never>> {
  const { database, log, settings: { issuer: usualIssuer, name, sealKeys } } = spine
  const codes = await loadCodes()
  // A process that only verifies tokens may have no key: it has nothing to seal.
  const seal = createSeal(sealKeys.length > 0 ? sealKeys : [readSealKey(randomBytes(32))])
  const parts = { codes, rows: createTotpRows(database), seeds: createSeeds(seal, name, log) }
  factors!.methods.push(totpMethod(spine, parts))
  keepToolbox(factors!.services!, createToolbox(spine, parts, recoveryCodes!))
  const enrolments = createEnrolments(seal, name)
  const issuer = settings!.issuer ?? usualIssuer
  return {
    face: undefined,
    routes: {
      factors: totpRoutes(spine, {
        ...parts, factors: factors!, recoveryCodes: recoveryCodes!, enrolments, issuer,
      }),
    },
  }
}
