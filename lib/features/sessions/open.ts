import { eachWithDeadline } from '../../http/deadline.ts'
import type { Open } from '../feature.ts'
import type { Spine } from '../spine.ts'
import type { Limits } from '../throttle/limits.ts'
import { logout } from './logout.ts'
import { refresh } from './refresh.ts'
import { createSessionServices, type SessionServices } from './services.ts'
import { sessions } from './sessions.ts'

export async function open (
  spine: Spine, _: unknown, { throttle }: { throttle: Limits }
): Promise<Open<undefined, { sessions: SessionServices }>> {
  return {
    face: undefined,
    routes: { refresh: refresh(spine, throttle), logout: logout(spine), sessions: sessions(spine) },
    services: { sessions: eachWithDeadline(createSessionServices(spine.sessions, spine.ownData)) },
  }
}
