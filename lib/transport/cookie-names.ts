import { isUnnamed } from '../http/options.ts'

/** The cookies of a session: two for tokens, one for the value against CSRF. */
export const sessionCookieKinds = ['access', 'refresh', 'csrf'] as const
/**
 * All kinds of cookies. By the one of the device a browser is known when there is no session, by that of the challenge
 * the one that has asked for a mail, by that of the ticket the one that has proved a first factor, by `remember` the
 * one that is not asked for the second, and by that of a flow the one that has gone to another provider.
 */
const cookieKinds = [...sessionCookieKinds, 'device', 'challenge', 'ticket', 'remember', 'flow'] as const
export type CookieKind = typeof cookieKinds[number]

/** A cookie's name and the path that it is sent to. */
export interface NamedCookie {
  name: string
  path: string
}

/** The attributes of all cookies that their names depend on. */
interface Attributes {
  domain?: string
  sameSite: string
  secure: boolean
  partitioned: boolean
}

/** The attributes, and for each cookie the name and the path, if they are given. */
type CookieOptions = Attributes & Record<CookieKind, Partial<NamedCookie>>

/**
 * Names and paths where none are given. A name begins with the strongest prefix that the attributes allow, so that a
 * browser refuses one that another host or plain HTTP has set (RFC 6265bis §4.1.3). The refresh token and the device's
 * go to our routes alone; the readable value has to be on every page.
 */
export function cookieSettings<Options extends CookieOptions> (
  options: Options, instance: string, prefix: string
): Options & Record<CookieKind, NamedCookie> {
  const stem = isUnnamed(instance) ? '' : `${instance}-`
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
    challenge: settle('challenge', '/'),
    ticket: settle('ticket', prefix || '/'),
    remember: settle('remember', '/'),
    flow: settle('flow', '/'),
  }
}

function strongestPrefix ({ secure, domain }: Attributes, path: string): string {
  if (!secure) return ''
  return path === '/' && domain === undefined ? '__Host-' : '__Secure-'
}

/** What is wrong with cookies that browsers would not keep. They would drop them without a word. */
export function cookieProblems (settings: Attributes & Record<CookieKind, NamedCookie>): string[] {
  const { secure, domain, sameSite, partitioned } = settings
  const names = cookieKinds.map((kind) => settings[kind].name)

  const rules: [isBroken: boolean, problem: string][] = [
    [sameSite === 'none' && !secure, "cookies.sameSite 'none' needs cookies.secure"],
    [partitioned && !secure, 'cookies.partitioned needs cookies.secure'],
    [new Set(names).size < names.length, 'cookies must have different names'],
  ]
  return [
    ...rules.filter(([isBroken]) => isBroken).map(([, problem]) => problem),
    ...cookieKinds.flatMap((kind) => {
      const { name, path } = settings[kind]
      if (/^__(host|secure)-/i.test(name) && !secure) return [`cookies.${kind}.name ${name} needs cookies.secure`]
      const isHostOnly = domain === undefined && path === '/'
      if (isHostOnly || !/^__host-/i.test(name)) return []
      return [`cookies.${kind}.name ${name} goes with the path / and no cookies.domain`]
    }),
  ]
}
