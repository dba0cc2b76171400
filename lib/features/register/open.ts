import type { TString } from '@sinclair/typebox'
import type { Open } from '../feature.ts'
import type { Spine } from '../spine.ts'
import type { RegisterNeeds, RegisterSettings } from './needs.ts'
import { nameFields } from './body.ts'
import type { Instead } from './instead.ts'
import { createOpenAccount, type OpenAccount, type OpenAccountFor } from './opening.ts'
import { registerFirst } from './first.ts'
import { register } from './register.ts'

/** What others may do with registrations. */
export interface Registering {
  openAccount: OpenAccount
  openFor: OpenAccountFor
  /** The fields that are names, by which somebody registers. */
  names: Record<string, TString>
  /** What may be given in a password's place. Undefined where addresses are proved first: then nothing may. */
  insteads?: Instead[]
}

export async function open (
  spine: Spine, settings: RegisterSettings, needs: RegisterNeeds
): Promise<Open<Registering, never>> {
  const { openAccount, openFor } = createOpenAccount(spine, needs.throttle)
  const { mail } = needs
  const names = nameFields(spine)
  if (mail && settings.email.verification === 'first') {
    const routes = registerFirst(spine, settings, { ...needs, mail }, openAccount)
    return { face: { openAccount, openFor, names }, routes: { ...routes } }
  }
  const insteads: Instead[] = []
  return {
    face: { openAccount, openFor, names, insteads },
    routes: { register: register(spine, settings, needs, openAccount, insteads) },
  }
}
