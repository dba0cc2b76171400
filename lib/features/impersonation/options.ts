import { Type } from '@sinclair/typebox'
import { inSeconds, isDuration, mostSeconds, type Duration } from '../../checks/durations.ts'
import { TrueOr } from '../../checks/kinds.ts'
import type { Filled } from '../../checks/slice.ts'
import type { TokenSettings } from '../../tokens/options.ts'
import type { options as tokenOptions } from '../../tokens/options.ts'

/** How long a session is borrowed where nothing says so, if access tokens live that long. */
const usualSeconds = 30 * 60

/** The options of the group `admin` that are about borrowed sessions. */
export const admin = {
  impersonation: TrueOr({
    maxAge: Type.Optional(Type.Unsafe<Duration>({
      holds: (value: unknown) => isDuration(value),
      must: `be a duration such as '15m' or whole seconds from 1 to ${mostSeconds}`,
      tsType: 'Duration',
      usual: "`'30m'`, or `access.expiresIn` where that is shorter",
      description: 'How long a borrowed session lives: no longer than an access token may, since it is one that ' +
        'nothing refreshes.',
    })),
    notify: Type.Boolean({
      default: true,
      description: 'Sends the user a mail whenever an admin borrows a session of theirs, where `mail` is on.',
    }),
  }, {
    usual: 'off',
    description: 'Lets admins with the permission `users:impersonate` act as a user ' +
      '([how](impersonation.md)): `POST /users/:id/impersonate`.',
  }),
}

/** What the settings say of borrowed sessions. */
export type ImpersonationSettings = ReturnType<typeof read> & Pick<TokenSettings, 'keys' | 'lendsSessions'>

interface Given extends Pick<Filled<typeof tokenOptions>, 'access'> {
  admin: Filled<typeof admin>
}

/** The options where it is on, whether by `true` or by some of them. */
function optionsOf ({ admin: { impersonation } }: Given) {
  return impersonation ? impersonation as Exclude<typeof impersonation, true> : undefined
}

export function problems (given: Given): string[] {
  const { maxAge } = optionsOf(given) ?? {}
  if (maxAge === undefined || inSeconds(maxAge) <= inSeconds(given.access.expiresIn)) return []
  return ['admin.impersonation.maxAge must not be longer than access.expiresIn: by then the end of a session is ' +
    'forgotten']
}

export function read (given: Given) {
  const on = optionsOf(given)
  if (!on) return { impersonation: undefined }
  const { maxAge, notify } = on
  const lifeSeconds = maxAge === undefined
    ? Math.min(usualSeconds, inSeconds(given.access.expiresIn))
    : inSeconds(maxAge)
  return { impersonation: { lifeSeconds, notify } }
}
