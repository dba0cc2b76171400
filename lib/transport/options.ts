import { Type } from '@sinclair/typebox'
import { Group, OneOf, text, tokenPattern } from '../checks/kinds.ts'
import { settled, type Filled } from '../checks/slice.ts'
import type { options as httpOptions } from '../http/options.ts'
import { cookieProblems, cookieSettings } from './cookie-names.ts'

/** A place where a token may be. */
export type Location = 'header' | 'cookie' | 'body' | 'query' | 'protocol'

/** How the tokens of a session are sent: in bodies, where scripts can read them, or in cookies, where they cannot. */
export type Transport = 'body' | 'cookie'

/** A label of a cookie's domain. In the domain and the path no `;` may end the attribute (RFC 6265 §4.1.1). */
const label = '[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?'

/** A cookie's name and the path that it is sent to. */
const CookieSchema = (description: string, usual: string) => Group({
  name: Type.Optional(Type.String({ pattern: tokenPattern })),
  path: Type.Optional(Type.String({ pattern: '^/[!-:=-~]*$' })),
}, { description, usual })

/** Places to look for a token, each once. */
export const LocationsSchema = (words: { description?: string, usual?: string } = {}) => Type.Array(
  OneOf<Location>(['header', 'cookie', 'body', 'query', 'protocol']),
  { ...words, minItems: 1, uniqueItems: true, tsType: 'Location[]' })

/**
 * True for an origin as browsers write it in `Origin` (RFC 6454 §6.1), and no pattern of origins. Apps in a native
 * shell have schemes of their own, which the URL parser does not know.
 */
function isOrigin (value: string): boolean {
  if (!/^https?:/.test(value)) return /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9.-]+$/.test(value)
  return URL.canParse(value) && new URL(value).origin === value && !value.includes('*')
}

export const options = {
  transport: OneOf(['body', 'cookie', 'both'], {
    default: 'body',
    description: "How tokens are sent. With `'both'` the client chooses at registration and login " +
      '([cookies](cookies.md)).',
  }),
  cookies: Group({
    access: CookieSchema('The cookie of access tokens.', '`__Host-access` on `/`'),
    refresh: CookieSchema('The cookie of refresh tokens.', '`__Secure-refresh` on the prefix'),
    csrf: CookieSchema('The CSRF value, readable by scripts.', '`__Host-csrf` on `/`'),
    challenge: CookieSchema('Identifies the browser that requested a mail.', '`__Host-challenge` on `/`'),
    ticket: CookieSchema(
      'Identifies the browser that has passed the first factor.', '`__Secure-ticket` on the prefix'),
    remember: CookieSchema('Identifies a browser that is not asked for a second factor.', '`__Host-remember` on `/`'),
    flow: CookieSchema(
      'Identifies the browser that was sent to another provider. A hyphen and eight characters follow the name.',
      '`__Host-flow` on `/`'),
    device: CookieSchema(
      'Identifies a known device, for `throttle`.', '`__Secure-device` on the prefix'),
    domain: Type.Optional(Type.String({
      pattern: `^\\.?${label}(\\.${label})*$`,
      maxLength: 253,
      usual: 'to this host alone',
      description: 'Sends the cookies to all subdomains of this domain too.',
    })),
    sameSite: OneOf(['strict', 'lax', 'none'], {
      default: 'lax', description: 'Whether requests from other sites contain the cookies.',
    }),
    secure: Type.Boolean({ default: true, description: '`false` allows cookies without TLS.' }),
    partitioned: Type.Boolean({
      default: false,
      description: 'Separates cookies by the site that embeds this one (CHIPS).'
    }),
    persistent: Type.Boolean({
      default: true,
      description: 'Whether cookies outlive the browser window; a login overrides it with `remember`. Never longer ' +
        'than their token or 400 days.',
    }),
  }, {
    description: 'Each cookie has a `name` and a `path`. If the other settings do not allow a prefix, the default ' +
      'name omits it, and a name of yours with it is refused. With another `name` of the accounts, that name is ' +
      'part of the cookie names.',
  }),
  csrf: Group({
    header: Type.String({
      pattern: tokenPattern,
      default: 'x-csrf-token',
      description: 'The header that holds ' +
      '`csrf_token`.'
    }),
    trustedOrigins: Type.Array(Type.String(text(isOrigin, "be an origin such as 'https://app.example.com'")), {
      default: [],
      description: "Origins whose pages may send requests with the cookies, such as `'https://app.example.com'`. " +
        'The origin of your own pages is needed if browsers send no `Sec-Fetch-Site`: on plain HTTP except ' +
        'localhost, and in Safari before 16.4 ([when](cookies.md#proof-against-csrf)).',
    }),
    methods: Type.Optional(Type.Array(Type.String({ pattern: '^[A-Z-]+$' }), {
      minItems: 1,
      usual: 'all but GET, HEAD, OPTIONS, TRACE and QUERY',
      description: 'Methods that need the proof on your own routes. The routes of the plugin always use the ' +
        'default.',
    })),
    formField: Type.Optional(Type.String({
      minLength: 1,
      maxLength: 64,
      description: 'A field of the body that may contain `csrf_token`, for forms on your own routes, also with ' +
        'files (@fastify/multipart with `attachFieldsToBody`). Guards see it in `preValidation` and `preHandler`.',
    })),
  }),
  locations: Type.Optional(LocationsSchema({
    usual: "`['header']`, with cookies `['header', 'cookie']`",
    description: 'Where guards look for tokens, in this order ([guards](guards.md#switches)).',
  })),
  header: Group({
    name: Type.String({
      pattern: tokenPattern,
      default: 'authorization',
      description: 'The header that contains ' +
      'the token.'
    }),
    scheme: Type.String({
      pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]{0,64}$",
      default: 'Bearer',
      description: "The word before the token, case-insensitive. `''` for none, in a header of your own.",
    }),
  }),
}

type Given = Filled<typeof options & Pick<typeof httpOptions, 'name' | 'prefix'>>

/** What the settings say of how tokens come and go. */
export type TransportSettings = ReturnType<typeof read>

export function problems (given: Given, scope: string): string[] {
  const { transport, locations, header } = given
  const isUnused = transport !== 'body' && locations && !locations.includes('cookie')
  const isBare = header.scheme === '' && header.name.toLowerCase() === 'authorization'
  return [
    ...isUnused ? [`locations must hold cookie with transport ${transport}`] : [],
    ...isBare ? ["header.scheme '' needs a header.name of its own"] : [],
    ...cookieProblems(cookiesOf(given, scope)),
  ]
}

/** `scope` is the path of the app's own that the routes are below, for the paths of cookies. */
export function read (given: Given, scope: string) {
  const { locations, csrf, header, ...rest } = settled(options, given)
  const usual: Location[] = given.transport === 'body' ? ['header'] : ['header', 'cookie']
  return {
    ...rest,
    locations: locations ?? usual,
    csrf: { ...csrf, header: csrf.header.toLowerCase() },
    header: { ...header, name: header.name.toLowerCase() },
    cookies: cookiesOf(given, scope),
  }
}

function cookiesOf ({ cookies, name, prefix }: Given, scope: string) {
  // The path of a cookie ends before the first parameter, which browsers would take literally.
  const path = `${scope.replace(/\/+$/, '')}${prefix}`.replace(/\/[^/]*[:*].*$/, '')
  return cookieSettings(cookies, name, path)
}
