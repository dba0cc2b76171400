import { createHmac, randomBytes } from 'node:crypto'
import { mostSeconds, type Cookies } from '../../transport/cookies.ts'
import type { Session } from '../../sessions/entity.ts'
import type { User } from '../../users/entity.ts'
import { isEqual } from '../../secrets/equal.ts'
import type { AnyRequest } from '../../http/request.ts'
import type { Stored } from '../../users/look-up.ts'
import type { Grant } from '../../sign-in/grant.ts'

/** Browsers in which somebody has signed in before (OWASP's device cookies): no stranger's failures lock them out. */
export interface Devices {
  /** Adds the cookie by which the browser of this session is known from now on; none for tokens in bodies. */
  remember: (granted: Grant, session: Pick<Session, 'transport' | 'user'>) => Grant
  /**
   * What tells this browser from others, if it is known to be one of whom `find` finds: who has no cookie is not looked
   * for.
   */
  known: (request: AnyRequest, find: () => Promise<Stored | null>) => Promise<string | undefined>
}

/**
 * The value is a random number, a time, and an HMAC of both with the user and the time of the password: it is good for
 * one user, until there is another password.
 */
export function createDevices (cookies: Cookies, keys: Buffer[]): Devices {
  function sign (key: Buffer, { id, passwordChangedAt }: Pick<User, 'id' | 'passwordChangedAt'>, stem: string): string {
    return createHmac('sha256', key).update(`${id} ${passwordChangedAt.getTime()} ${stem}`).digest('base64url')
  }

  return {
    remember (granted, { transport, user }) {
      if (transport === 'body') return granted
      const stem = `${randomBytes(16).toString('base64url')}.${Math.floor(Date.now() / 1000)}`
      const mark = cookies.mark(`${stem}.${sign(keys[0]!, user, stem)}`, transport === 'cookie')
      return { ...granted, cookies: [...granted.cookies, mark] }
    },

    async known (request, find) {
      const [, stem, issued, signature] =
        /^([\w-]{22}\.(\d{1,12}))\.([\w-]{43})$/.exec(cookies.read(request, 'device') ?? '') ?? []
      if (!stem || Date.now() / 1000 - Number(issued) > mostSeconds) return

      const user = (await find())?.user()
      if (user && keys.some((key) => isEqual(signature!, sign(key, user, stem)))) return stem
    },
  }
}
