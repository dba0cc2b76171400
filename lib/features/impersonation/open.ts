import { eachWithDeadline } from '../../http/deadline.ts'
import { canSign } from '../../tokens/key.ts'
import type { Open } from '../feature.ts'
import type { Spine } from '../spine.ts'
import { createBorrow } from './borrowing.ts'
import { impersonate } from './impersonate.ts'
import type { ImpersonationSettings } from './options.ts'
import { createImpersonationServices, type ImpersonationServices } from './services.ts'

export async function open (
  spine: Spine, settings: ImpersonationSettings
): Promise<Open<undefined, { users: ImpersonationServices }>> {
  const borrow = createBorrow(spine, settings)

  return {
    face: undefined,
    services: { users: eachWithDeadline(createImpersonationServices(spine, borrow)) },
    routes: canSign(settings.keys) ? { users: impersonate(spine, borrow) } : {},
  }
}
