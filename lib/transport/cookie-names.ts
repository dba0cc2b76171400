/** The cookies of a session: two for tokens, one for the value against CSRF. */
export const sessionCookieKinds = ['access', 'refresh', 'csrf'] as const
/** All there are. By that of the device a browser is known when there is no session. */
const cookieKinds = [...sessionCookieKinds, 'device'] as const
export type CookieKind = typeof cookieKinds[number]

/** A cookie's name and the path that it is sent to. */
export interface NamedCookie {
  name: string
  path: string
}

/** What of the attributes of all cookies their names depend on. */
interface Attributes {
  domain?: string
  sameSite: string
  secure: boolean
  partitioned: boolean
}

/** What is given of each cookie may lack a name and a path. */
type CookieOptions = Attributes & Record<CookieKind, Partial<NamedCookie>>

/**
 * Names and paths where none are given. A name begins with the strongest prefix that the attributes allow, so that a
 * browser refuses one that another host or plain HTTP has set (RFC 6265bis §4.1.3). The refresh token and the device's
 * go to our routes alone; the readable value has to be on every page.
 */
export function cookieSettings<Options extends CookieOptions> (
  options: Options, instance: string, prefix: string
): Options & Record<CookieKind, NamedCookie> {
  const stem = instance === 'accounts' ? '' : `${instance}-`
  const settle = (kind: CookieKind, usualPath: string) => {
    const { path = usualPath, name = `${strongestPrefix(options, path)}${stem}${kind}` } = options[kind]
    return { name, path }
  }
  return {
    ...options,
    access: settle('access', '/'),
    refresh: settle('refresh', prefix || '/'),
    csrf: settle('csrf', '/'),
    device: settle('device', prefix || '/'),
  }
}

function strongestPrefix ({ secure, domain }: Attributes, path: string): string {
  if (!secure) return ''
  return path === '/' && domain === undefined ? '__Host-' : '__Secure-'
}

/** What no browser would keep: refused at the start, since it would be dropped without a word. */
export function cookieProblems (settings: Attributes & Record<CookieKind, NamedCookie>): string[] {
  const { secure, domain, sameSite, partitioned } = settings
  const names = cookieKinds.map((kind) => settings[kind].name)

  return [
    ...sameSite === 'none' && !secure ? ["cookies.sameSite 'none' needs cookies.secure"] : [],
    ...partitioned && !secure ? ['cookies.partitioned needs cookies.secure'] : [],
    ...new Set(names).size < names.length ? ['cookies must have different names'] : [],
    ...cookieKinds.flatMap((kind) => {
      const { name, path } = settings[kind]
      if (/^__(host|secure)-/i.test(name) && !secure) return [`cookies.${kind}.name ${name} needs cookies.secure`]
      const isHostOnly = domain === undefined && path === '/'
      if (isHostOnly || !/^__host-/i.test(name)) return []
      return [`cookies.${kind}.name ${name} goes with the path / and no cookies.domain`]
    }),
  ]
}
