import type { Open } from '../feature.ts'
import type { Spine } from '../spine.ts'
import type { RegisterNeeds, RegisterSettings } from './needs.ts'
import { createRegistering, type StoreRegistration } from './registering.ts'
import { registerFirst } from './first.ts'
import { register } from './register.ts'

export async function open (
  spine: Spine, settings: RegisterSettings, needs: RegisterNeeds
): Promise<Open<{ store: StoreRegistration }, never>> {
  const store = createRegistering(spine)
  const { mail } = needs
  const routes = mail && settings.email.verification === 'first'
    ? registerFirst(spine, settings, { ...needs, mail }, store)
    : { register: register(spine, settings, needs, store) }
  return { face: { store }, routes: { ...routes } }
}
