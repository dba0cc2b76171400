/** A place where a token may be. */
export type Location = 'header' | 'cookie' | 'body' | 'query' | 'protocol'

/** How a session's tokens travel: in bodies, where scripts see them, or in cookies, where they do not. */
export type Transport = 'body' | 'cookie'

/** What the settings say of how tokens come and go. */
export interface TransportSettings {
  /** How tokens travel; with `'both'` the client says which at register and login. */
  transport: Transport | 'both'
  cookies: CookieSettings
  csrf: {
    /** The header with the value against CSRF, in lower case. */
    header: string
    /** Origins whose pages may send requests with our cookies. */
    trustedOrigins: string[]
    /** Methods that need the proof on routes of the app's own. Default all that are not safe. */
    methods?: string[]
    /** A field of the body that may hold the value, for forms on routes of the app's own. */
    formField?: string
  }
  /** Where guards look for tokens, in this order. */
  locations: Location[]
  header: {
    /** The header with the token, in lower case. */
    name: string
    /** The word before the token, in any case; `''` for none. */
    scheme: string
  }
}

/** What the settings say of cookies. */
export interface CookieSettings {
  access: NamedCookie
  refresh: NamedCookie
  /** The value against CSRF, readable by scripts. */
  csrf: NamedCookie
  /** By which a browser is known to be somebody's. */
  device: NamedCookie
  /** Sends the cookies to its subdomains too. Default to this host alone. */
  domain?: string
  sameSite: 'strict' | 'lax' | 'none'
  /** False lets them travel without TLS. */
  secure: boolean
  /** Keeps them apart for each site that embeds this one (CHIPS). */
  partitioned: boolean
  /** They outlive the browser, unless a login says otherwise; or the reverse. */
  persistent: boolean
}

/** A cookie's name and the path that it is sent to. */
interface NamedCookie {
  name: string
  path: string
}
