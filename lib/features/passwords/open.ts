import type { Open } from '../feature.ts'
import type { Spine } from '../spine.ts'
import type { Limits } from '../throttle/limits.ts'
import { createPasswordChange } from './password-change.ts'
import { password } from './change.ts'
import { createCredentials } from './credentials.ts'
import { createHasher } from './hasher.ts'
import { createIdentify, login, refuseWhileResetIsDue } from './login.ts'
import type { PasswordSettings } from './options.ts'
import type { PasswordParts, Passwords } from './passwords.ts'
import { createPolicy } from './policy.ts'
import { createQueue } from './queue.ts'
import { reauthenticate } from './reauthenticate.ts'
import { PasswordResetRequired } from './errors.ts'
import { PasswordSchema } from './schema.ts'

export async function open (
  spine: Spine, settings: PasswordSettings, { throttle }: { throttle: Limits }
): Promise<Open<Passwords, never>> {
  const { database, events, log, server, users: { lookUp } } = spine
  const queue = createQueue(server, settings.password)
  const hasher = await createHasher(settings.password, queue)
  const policy = createPolicy(settings, log)
  const credentials = createCredentials(database, events, hasher, lookUp)
  spine.signIn.steps.push({
    judge: refuseWhileResetIsDue,
    // Without mails no other password is asked for, nor chosen by one.
    ...spine.mail && { Refusals: [PasswordResetRequired] },
  })

  const passwords: Passwords = {
    PasswordSchema: PasswordSchema(settings),
    knows: hasher.knows,
    match: credentials.match,
    admit: queue.admit,
    async take (password, owner, gone) {
      await policy.check(password, owner, gone)
      return hasher.hash(password, gone)
    },
    identify: createIdentify({ lookUp, throttle, queue, credentials }),
  }
  const parts: PasswordParts = {
    spine,
    throttle,
    passwords,
    credentials,
    changePassword: createPasswordChange({ spine, policy, hasher, credentials }),
    async attemptedBy (request) {
      const { claims: { sub: id } } = request.auth!
      return { key: id, id, device: await throttle.known(request, () => lookUp.stored.byId(id)) }
    },
  }

  return {
    face: passwords,
    routes: { login: login(parts), reauthenticate: reauthenticate(parts), password: password(parts) },
  }
}
