import { eachWithDeadline } from '../../http/deadline.ts'
import type { Open } from '../feature.ts'
import type { Addresses } from '../email/addresses.ts'
import type { Passwords } from '../passwords/passwords.ts'
import type { Spine } from '../spine.ts'
import { users } from './admin.ts'
import { createRefillAdmins } from './admin-roles.ts'
import { createChanges, type Changes } from './changes.ts'
import { me } from './me.ts'
import { createUserServices, type UserServices } from './services.ts'

export async function open (
  spine: Spine, _: unknown, { email, passwords }: { email: Addresses | undefined, passwords: Passwords }
): Promise<Open<{ changes: Changes }, { users: UserServices }>> {
  const changes = createChanges(spine, passwords, email)
  return {
    face: { changes },
    routes: { me: me(spine, changes), users: users(spine, changes) },
    ready: createRefillAdmins(spine),
    services: { users: eachWithDeadline(createUserServices(spine, passwords, changes)) },
  }
}
