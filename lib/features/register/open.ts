import type { Open } from '../feature.ts'
import type { Spine } from '../spine.ts'
import type { RegisterNeeds, RegisterSettings } from './needs.ts'
import { register } from './register.ts'

export async function open (
  spine: Spine, settings: RegisterSettings, needs: RegisterNeeds
): Promise<Open<undefined, never>> {
  return { face: undefined, routes: { register: register(spine, settings, needs) } }
}
