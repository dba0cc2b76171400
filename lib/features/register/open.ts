import type { Open } from '../feature.ts'
import type { Spine } from '../spine.ts'
import type { RegisterNeeds, RegisterSettings } from './needs.ts'
import { createOpenAccount, type OpenAccount } from './opening.ts'
import { registerFirst } from './first.ts'
import { register } from './register.ts'

export async function open (
  spine: Spine, settings: RegisterSettings, needs: RegisterNeeds
): Promise<Open<{ openAccount: OpenAccount }, never>> {
  const openAccount = createOpenAccount(spine, needs.throttle)
  const { mail } = needs
  const routes = mail && settings.email.verification === 'first'
    ? registerFirst(spine, settings, { ...needs, mail }, openAccount)
    : { register: register(spine, settings, needs, openAccount) }
  return { face: { openAccount }, routes: { ...routes } }
}
