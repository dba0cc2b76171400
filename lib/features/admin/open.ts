import type { Open } from '../feature.ts'
import type { Spine } from '../spine.ts'
import { createEndForAdmin } from './ending.ts'
import { userSessions } from './sessions.ts'

export async function open (spine: Spine): Promise<Open<undefined, never>> {
  return { face: undefined, routes: { users: userSessions(spine, createEndForAdmin(spine)) } }
}
