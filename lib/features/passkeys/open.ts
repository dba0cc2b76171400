import { eachWithDeadline } from '../../http/deadline.ts'
import type { Factors } from '../factors/factors.ts'
import type { Open } from '../feature.ts'
import type { MailProofs } from '../mail/mail-proofs.ts'
import type { RecoveryCodes } from '../recovery-codes/recovery-codes.ts'
import type { Registering } from '../register/open.ts'
import type { Spine } from '../spine.ts'
import type { Limits } from '../throttle/limits.ts'
import { addPasskey, createStorePasskey } from './adding.ts'
import { askForPasskey } from './asking.ts'
import { createChallenges } from './challenge.ts'
import { createCounting } from './counting.ts'
import { userHandle } from './handle.ts'
import { openLibrary } from './library.ts'
import { login } from './login.ts'
import { passkeyMethod } from './method.ts'
import type { PasskeySettings } from './options.ts'
import { ownPasskeys } from './own-passkeys.ts'
import type { PasskeyParts } from './parts.ts'
import { createProving } from './proving.ts'
import { createPasskeyRegistration } from './registration.ts'
import { relatedOrigins } from './related-origins.ts'
import { reclaimPasskeys } from './reclaiming.ts'
import { createRemovePasskey } from './removing.ts'
import { createRows } from './rows.ts'
import { createPasskeyServices, type PasskeyServices } from './services.ts'
import { passkeyStepUp } from './step-up.ts'
import { createVerifier } from './verifier.ts'

interface Needs {
  throttle: Limits
  /** Undefined where there are no mails. */
  mail: MailProofs | undefined
  factors: Factors | undefined
  recoveryCodes: RecoveryCodes | undefined
  register: Registering
}

export async function open (
  spine: Spine, { passkeys, routes }: PasskeySettings,
  { throttle, mail, register: { insteads, names }, ...needs }: Needs
): Promise<Open<undefined, { passkeys: PasskeyServices }>> {
  const { database, events, keyring, log, settings: { name }, signIn, telemetry } = spine
  const { counters } = telemetry
  const [settings, factors, recoveryCodes] = [passkeys!, needs.factors!, needs.recoveryCodes!]
  const challenges = createChallenges(keyring.derived('challenge'), name)
  const rows = createRows(database)
  const verifier = createVerifier({ log, library: openLibrary(), challenges }, { name, ...settings })
  const proving = createProving({ database, events }, { rows, verifier, spent: factors.spent, counters })
  const handleOf = (userId: string) => userHandle(name, userId)
  const parts: PasskeyParts = {
    spine, settings, throttle, factors, recoveryCodes, rows, challenges, verifier, proving, handleOf,
  }

  const counting = createCounting(throttle, events, counters)
  factors.methods.push(passkeyMethod(rows, proving))
  signIn.stepUps.push(passkeyStepUp(parts, counting))
  signIn.waysIn.push(async (tx, userId) => (await rows.ofUser(tx, userId)).length > 0)

  const store = createStorePasskey(parts)
  const remove = createRemovePasskey(spine, rows)
  const registering = insteads && routes.register !== undefined
    ? createPasskeyRegistration(parts, store, names)
    : undefined
  if (registering) insteads!.push(registering.instead)

  mail?.reclaimsAlso.push(reclaimPasskeys(parts))

  const added = [
    askForPasskey(parts, registering?.registration), login(parts, counting), addPasskey(parts, store),
    ownPasskeys(parts, remove),
  ]
  return {
    face: undefined,
    services: { passkeys: eachWithDeadline(createPasskeyServices(parts, remove)) },
    routes: { passkeys: (scope, path) => added.forEach((add) => add(scope, path)) },
    atRoot: relatedOrigins(settings),
  }
}
