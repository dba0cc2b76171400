import { createHmac, randomBytes } from 'node:crypto'
import type { AnyRequest } from '../../http/request.ts'
import { isEqual } from '../../secrets/equal.ts'
import { factorsChangeOf } from '../../tokens/ticket.ts'
import type { User } from '../../users/entity.ts'
import type { Spine } from '../spine.ts'

/** Browsers in which a second factor is not asked for, for a while: the session is no better proved for that. */
export interface RememberedDevices {
  isRemembered: (request: AnyRequest | undefined, user: User) => boolean
  /** The line for `Set-Cookie` by which a browser is remembered: only where browsers are, bodies may ask for it. */
  remember: (user: User) => string
}

/**
 * The value is a random number, a time, and an HMAC of both with the user and the times of their password and their
 * factors: any change of these makes it void.
 */
export function createRememberedDevices (
  { keyring, transport: { cookies } }: Spine, seconds: number | undefined
): RememberedDevices {
  const keys = seconds === undefined ? [] : keyring.derived('remember')

  function sign (key: Buffer, user: User, stem: string): string {
    const changes = `${user.passwordChangedAt.getTime()} ${factorsChangeOf(user)}`
    return createHmac('sha256', key).update(`${user.id} ${changes} ${stem}`).digest('base64url')
  }

  return {
    isRemembered (request, user) {
      if (!request || seconds === undefined) return false
      const [, stem, issued, signature] =
        /^([\w-]{22}\.(\d{1,12}))\.([\w-]{43})$/.exec(cookies.read(request, 'remember') ?? '') ?? []
      if (!stem || Math.abs(Date.now() / 1000 - Number(issued)) > seconds) return false
      return keys.some((key) => isEqual(signature!, sign(key, user, stem)))
    },

    remember (user) {
      const stem = `${randomBytes(16).toString('base64url')}.${Math.floor(Date.now() / 1000)}`
      return cookies.keep('remember', `${stem}.${sign(keys[0]!, user, stem)}`, seconds!)
    },
  }
}
